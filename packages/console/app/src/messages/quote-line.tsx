import { formatNumber } from '../ui/format.js';
import type { QuoteState } from './use-quote.js';

export interface QuoteLineProps {
  readonly state: QuoteState;
  /** Whether the sender can pay. */
  readonly canPay: boolean;
}

/** What a message would cost, before it is sent. */
export function QuoteLine({ state, canPay }: QuoteLineProps) {
  if (state.kind === 'none') return null;
  return (
    <p class="quote small" role="status">
      {state.kind === 'asking' && <span class="quiet">Asking what it costs …</span>}
      {state.kind === 'failed' && (
        <span class="danger">
          {state.problem.title} {state.problem.advice}
        </span>
      )}
      {state.kind === 'known' && <Price {...state.quote} canPay={canPay} />}
    </p>
  );
}

function Price({
  deliveryFee,
  recipientFee,
  canPay,
}: {
  readonly deliveryFee: number;
  readonly recipientFee: number;
  readonly canPay: boolean;
}) {
  if (recipientFee < 0) {
    return <span class="danger">The recipient does not take messages from you in this box.</span>;
  }
  if (deliveryFee + recipientFee === 0) return <span class="quiet">Free of charge.</span>;
  const parts = [
    recipientFee > 0 && `${formatNumber(recipientFee)} for the recipient`,
    deliveryFee > 0 && `${formatNumber(deliveryFee)} for the server`,
  ].filter(Boolean);
  return (
    <span class={canPay ? 'quiet' : 'danger'}>
      Costs {formatNumber(deliveryFee + recipientFee)} satoshis: {parts.join(', ')}.
      {!canPay && ' An identity of this browser has no money; a wallet can pay.'}
    </span>
  );
}
