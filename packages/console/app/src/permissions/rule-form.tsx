import { useState } from 'preact/hooks';
import { findKeyProblem } from '../identity/identity-key.js';
import { keptIdentities } from '../identity/kept-identities.js';
import { Button } from '../ui/button.js';
import { Field, TextField } from '../ui/field.js';
import { MAX_FEE } from './permissions-api.js';

export type RuleKind = 'allow' | 'block' | 'price';

export interface RuleFormProps {
  readonly ownKey: string;
  readonly onSave: (sender: string | undefined, recipientFee: number) => Promise<boolean>;
}

/** Sets what one sender, or everybody else, may do in a box. */
export function RuleForm({ ownKey, onSave }: RuleFormProps) {
  const [who, setWho] = useState<'everybody' | 'sender'>('everybody');
  const [sender, setSender] = useState('');
  const [kind, setKind] = useState<RuleKind>('allow');
  const [price, setPrice] = useState('100');
  const [wasTried, setWasTried] = useState(false);
  const [isSaving, setIsSaving] = useState(false);
  const key = sender.trim().toLowerCase();
  const keyProblem = who === 'sender' ? findKeyProblem(key) : undefined;
  const priceProblem = kind === 'price' ? findPriceProblem(price) : undefined;
  const others = keptIdentities.value.filter(({ identityKey }) => identityKey !== ownKey);
  const submit = async () => {
    setWasTried(true);
    if (keyProblem !== undefined || priceProblem !== undefined) return;
    setIsSaving(true);
    const isSaved = await onSave(who === 'sender' ? key : undefined, toFee(kind, price));
    setIsSaving(false);
    if (!isSaved) return;
    setWasTried(false);
    setSender('');
  };
  return (
    <form
      class="stack rule-form"
      aria-label="New rule"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Field label="Who">
        {(control) => (
          <select
            {...control}
            value={who}
            onChange={(event) => setWho(event.currentTarget.value === 'sender' ? 'sender' : 'everybody')}
          >
            <option value="everybody">Everybody without a rule of their own</option>
            <option value="sender">One sender</option>
          </select>
        )}
      </Field>
      {who === 'sender' && (
        <div class="stack-tight">
          <TextField
            label="Sender’s key"
            mono
            value={sender}
            placeholder="Identity key, 66 characters"
            error={wasTried ? keyProblem : undefined}
            onInput={setSender}
          />
          {others.length > 0 && (
            <div class="row">
              <span class="quiet small">Here in this browser:</span>
              {others.map(({ identityKey, name }) => (
                <Button key={identityKey} size="small" onClick={() => setSender(identityKey)}>
                  {name}
                </Button>
              ))}
            </div>
          )}
        </div>
      )}
      <Field label="May write">
        {(control) => (
          <select
            {...control}
            value={kind}
            onChange={(event) => setKind(KINDS.find((known) => known === event.currentTarget.value) ?? 'allow')}
          >
            <option value="allow">Free of charge</option>
            <option value="price">For a price</option>
            <option value="block">Not at all</option>
          </select>
        )}
      </Field>
      {kind === 'price' && (
        <TextField
          label="Price in satoshis"
          inputMode="numeric"
          value={price}
          help="For each message. It is paid to your wallet with the message."
          error={priceProblem}
          onInput={setPrice}
        />
      )}
      <div>
        <Button kind="primary" type="submit" disabled={isSaving}>
          {isSaving ? 'Saving …' : 'Save the rule'}
        </Button>
      </div>
    </form>
  );
}

const KINDS: readonly RuleKind[] = ['allow', 'block', 'price'];

function findPriceProblem(text: string): string | undefined {
  const price = Number(text);
  if (!/^\d+$/.test(text.trim()) || price < 1) return 'A price is a whole number of satoshis, at least 1.';
  return price > MAX_FEE ? `The price is at most ${MAX_FEE.toLocaleString('en-GB')} satoshis.` : undefined;
}

function toFee(kind: RuleKind, price: string): number {
  if (kind === 'block') return -1;
  return kind === 'allow' ? 0 : Number(price);
}
