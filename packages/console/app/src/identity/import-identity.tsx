import { useState } from 'preact/hooks';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { Field } from '../ui/field.js';
import { showToast } from '../ui/toast.js';
import { actAs } from './switch-identity.js';

const MAX_FILE_BYTES = 10_000;

/** Takes a private key, or an exported file, and lets that identity act in this tab. */
export function ImportIdentity({ onClose }: { readonly onClose: () => void }) {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string>();
  const submit = async () => {
    const { importIdentity } = await import('./throwaway-identity.js');
    const { nextName } = await import('./open-identity.js');
    try {
      const kept = importIdentity(text, nextName());
      await actAs(kept);
      showToast(`This tab now acts as “${kept.name}”.`);
      onClose();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const readFile = async (file: File | undefined) => {
    if (file === undefined) return;
    if (file.size > MAX_FILE_BYTES) setProblem('This file is too large for an exported identity.');
    else setText(await file.text());
  };
  return (
    <Dialog title="Import an identity" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Field
          label="Private key"
          help="64 hex characters, a key in WIF, or the content of an exported file."
          error={problem}
        >
          {(control) => (
            <textarea
              {...control}
              class="input mono"
              rows={3}
              autocomplete="off"
              spellcheck={false}
              value={text}
              onInput={(event) => {
                setText(event.currentTarget.value);
                setProblem(undefined);
              }}
            />
          )}
        </Field>
        <Field label="Or choose an exported file">
          {(control) => (
            <input
              {...control}
              type="file"
              accept=".json,application/json"
              onChange={(event) => void readFile(event.currentTarget.files?.[0])}
            />
          )}
        </Field>
        <div class="dialog-actions">
          <Button kind="primary" type="submit" disabled={text.trim() === ''}>
            Import
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
