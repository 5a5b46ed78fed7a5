import { useState } from 'preact/hooks';
import { Badge } from '../ui/badge.js';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { KeyText } from '../ui/key-text.js';
import { showToast } from '../ui/toast.js';
import { useCurrentIdentity } from './current-identity.js';
import { ExportIdentity } from './export-identity.js';
import { ImportIdentity } from './import-identity.js';
import { type KeptIdentity, keptIdentities, MAX_KEPT, updateKeptIdentities } from './kept-identities.js';
import { actAs } from './switch-identity.js';

/** The identities that this browser keeps: choose, make, import, export and remove them. */
export function KeptList() {
  const identity = useCurrentIdentity();
  const [exported, setExported] = useState<KeptIdentity>();
  const [removed, setRemoved] = useState<KeptIdentity>();
  const [isImporting, setIsImporting] = useState(false);
  const isFull = keptIdentities.value.length >= MAX_KEPT;
  const make = async () => {
    const { keepNewIdentity } = await import('./throwaway-identity.js');
    const { nextName } = await import('./open-identity.js');
    const kept = keepNewIdentity(nextName());
    await actAs(kept);
    showToast(`This tab now acts as “${kept.name}”.`);
  };
  return (
    <section class="card stack" aria-labelledby="kept">
      <div class="card-head">
        <h2 id="kept">Identities in this browser</h2>
        <div class="row">
          <Button size="small" onClick={() => setIsImporting(true)} disabled={isFull}>
            Import
          </Button>
          <Button size="small" onClick={make} disabled={isFull}>
            New identity
          </Button>
        </div>
      </div>
      <p class="quiet small">
        They are kept in this browser only, unencrypted: good for trying things out, and no place for a key that
        matters.
      </p>
      <ul class="kept-list">
        {keptIdentities.value.map((kept) => (
          <li key={kept.identityKey}>
            <div class="kept-name">
              <span class="strong">{kept.name}</span>
              {kept.identityKey === identity?.identityKey && <Badge tone="accent">this tab</Badge>}
              <KeyText value={kept.identityKey} what={`key of ${kept.name}`} />
            </div>
            <div class="row">
              {kept.identityKey !== identity?.identityKey && (
                <Button size="small" onClick={() => actAs(kept)} label={`Act as this: ${kept.name}`}>
                  Act as this
                </Button>
              )}
              <a
                class="button"
                data-kind="quiet"
                data-size="small"
                href={`./#/messages/as/${kept.identityKey}`}
                target="_blank"
                rel="noopener"
                aria-label={`Open a tab for ${kept.name}`}
              >
                Open a tab
              </a>
              <Button size="small" kind="quiet" onClick={() => setExported(kept)} label={`Export ${kept.name}`}>
                Export
              </Button>
              {keptIdentities.value.length > 1 && (
                <Button size="small" kind="quiet" onClick={() => setRemoved(kept)} label={`Remove ${kept.name}`}>
                  Remove
                </Button>
              )}
            </div>
          </li>
        ))}
      </ul>
      {exported && <ExportIdentity kept={exported} onClose={() => setExported(undefined)} />}
      {isImporting && <ImportIdentity onClose={() => setIsImporting(false)} />}
      {removed && <RemoveIdentity kept={removed} onClose={() => setRemoved(undefined)} />}
    </section>
  );
}

function RemoveIdentity({ kept, onClose }: { readonly kept: KeptIdentity; readonly onClose: () => void }) {
  const identity = useCurrentIdentity();
  const remove = async () => {
    updateKeptIdentities((identities) => identities.filter(({ identityKey }) => identityKey !== kept.identityKey));
    const [next] = keptIdentities.value;
    if (kept.identityKey === identity?.identityKey && next !== undefined) await actAs(next);
    onClose();
  };
  return (
    <Dialog
      title={`Remove “${kept.name}”?`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button kind="danger" onClick={remove}>
            Remove for good
          </Button>
        </>
      }
    >
      <p>
        Without an export nobody can get this identity back. Messages that wait for it stay on the server, and nobody
        will be able to read them.
      </p>
    </Dialog>
  );
}
