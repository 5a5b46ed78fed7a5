import { useState } from 'preact/hooks';
import { Button } from '../ui/button.js';
import { CopyButton } from '../ui/copy-button.js';
import { Dialog } from '../ui/dialog.js';
import { Notice } from '../ui/notice.js';
import type { KeptIdentity } from './kept-identities.js';

export interface ExportIdentityProps {
  readonly kept: KeptIdentity;
  readonly onClose: () => void;
}

/** Shows or saves the private key, after a warning. */
export function ExportIdentity({ kept, onClose }: ExportIdentityProps) {
  const [isRevealed, setIsRevealed] = useState(false);
  return (
    <Dialog
      title={`Export “${kept.name}”`}
      onClose={onClose}
      actions={
        <>
          {!isRevealed && <Button onClick={() => setIsRevealed(true)}>Reveal the private key</Button>}
          <Button kind="primary" onClick={() => download(kept)}>
            Download as a file
          </Button>
        </>
      }
    >
      <Notice tone="warning" title="Whoever has the private key is this identity.">
        <p>They can read its messages and write in its name, and nobody can take that back. Keep it to yourself.</p>
      </Notice>
      {isRevealed && (
        <div class="stack-tight">
          <h3>Private key</h3>
          <code class="secret">{kept.privateKey}</code>
          <div>
            <CopyButton text={kept.privateKey} what="private key" />
          </div>
        </div>
      )}
    </Dialog>
  );
}

function download({ privateKey, identityKey, name }: KeptIdentity): void {
  const text = JSON.stringify({ name, identityKey, privateKey }, null, 2);
  const address = URL.createObjectURL(new Blob([`${text}\n`], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = `identity-${identityKey.slice(0, 10)}.json`;
  link.click();
  URL.revokeObjectURL(address);
}
