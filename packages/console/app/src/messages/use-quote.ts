import { useCallback, useEffect, useState } from 'preact/hooks';
import { type Explanation, explainError } from '../api/explain-error.js';
import type { CurrentIdentity } from '../identity/current-identity.js';
import { findKeyProblem } from '../identity/identity-key.js';
import { fetchQuote, type Quote } from './send-message.js';

/** What is known of a price: nothing without a whole key. */
export type QuoteState =
  | { readonly kind: 'none' | 'asking' }
  | { readonly kind: 'known'; readonly quote: Quote }
  | { readonly kind: 'failed'; readonly problem: Explanation };

const TYPING_PAUSE_MS = 250;

/**
 * The price of a message, asked again when the recipient or the box changes.
 *
 * @returns the price, and a function that asks again, because recipients change their minds
 */
export function useQuote(identity: CurrentIdentity, recipient: string, messageBox: string): [QuoteState, () => void] {
  const subject = `${identity.identityKey} ${recipient} ${messageBox}`;
  const [asked, setAsked] = useState(0);
  const [answer, setAnswer] = useState<{ readonly subject: string; readonly state: QuoteState }>();
  const isAskable = findKeyProblem(recipient) === undefined;
  useEffect(() => {
    if (!isAskable) return;
    let isWanted = true;
    const tell = (state: QuoteState) => isWanted && setAnswer({ subject, state });
    const timer = setTimeout(() => {
      fetchQuote(identity, recipient, messageBox).then(
        (quote) => tell({ kind: 'known', quote }),
        (error: unknown) => tell({ kind: 'failed', problem: explainError(error) }),
      );
    }, TYPING_PAUSE_MS);
    return () => {
      isWanted = false;
      clearTimeout(timer);
    };
  }, [identity, recipient, messageBox, subject, isAskable, asked]);
  const askAgain = useCallback(() => setAsked((count) => count + 1), []);
  if (!isAskable) return [{ kind: 'none' }, askAgain];
  return [answer?.subject === subject ? answer.state : { kind: 'asking' }, askAgain];
}
