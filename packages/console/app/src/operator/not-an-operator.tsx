import { KeyText } from '../ui/key-text.js';

export interface NotAnOperatorProps {
  /** The visitor's own key. */
  readonly identityKey: string;
}

/** Explains who may see these pages, and how to become one of them. */
export function NotAnOperator({ identityKey }: NotAnOperatorProps) {
  return (
    <section class="card stack operator-gate" aria-labelledby="not-an-operator">
      <h2 id="not-an-operator">These pages are for those who run this server</h2>
      <p>
        This identity is not one of its operators, so nothing is shown here. Operators see how the server is doing,
        block and purge identities, set delivery fees, and look after its jobs. These pages never show the text of a
        message.
      </p>
      <div class="stack-tight">
        <h3>Do you run this server?</h3>
        <ol class="steps">
          <li>
            Copy the key of this identity:
            <KeyText value={identityKey} full />
          </li>
          <li>
            Add it to <code>ADMIN_IDENTITY_KEYS</code>, a list with commas, in the environment of all services:
            <code class="block-code">ADMIN_IDENTITY_KEYS={identityKey}</code>
          </li>
          <li>Restart the services, and come back to this page.</li>
        </ol>
        <p class="quiet">
          The key in this browser is then the key to your server. Export it on the page Identity and keep it safe, or
          connect a wallet there and use its key.
        </p>
      </div>
    </section>
  );
}
