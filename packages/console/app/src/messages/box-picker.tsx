import { useState } from 'preact/hooks';
import { Button } from '../ui/button.js';
import { Dialog } from '../ui/dialog.js';
import { Field, TextField } from '../ui/field.js';
import { findBoxProblem } from './box-name.js';
import { COMMON_BOXES, keepBox, ownBoxes } from './boxes.js';

const OTHER = '\u0000other';

export interface BoxPickerProps {
  readonly value: string;
  readonly onChange: (box: string) => void;
  readonly label?: string;
}

/** Chooses a box: a common one, one that was named before, or another name. */
export function BoxPicker({ value, onChange, label = 'Box' }: BoxPickerProps) {
  const [isNaming, setIsNaming] = useState(false);
  const boxes = [...new Set([...COMMON_BOXES, ...ownBoxes.value, value])];
  return (
    <>
      <Field label={label}>
        {(control) => (
          <select
            {...control}
            value={value}
            onChange={(event) => {
              const chosen = event.currentTarget.value;
              if (chosen !== OTHER) onChange(chosen);
              else {
                event.currentTarget.value = value;
                setIsNaming(true);
              }
            }}
          >
            {boxes.map((box) => (
              <option key={box} value={box}>
                {box}
              </option>
            ))}
            <option value={OTHER}>Another box …</option>
          </select>
        )}
      </Field>
      {isNaming && <NameBox onChange={onChange} onClose={() => setIsNaming(false)} />}
    </>
  );
}

function NameBox({ onChange, onClose }: { readonly onChange: (box: string) => void; readonly onClose: () => void }) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<string>();
  return (
    <Dialog title="Another box" onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          const found = findBoxProblem(name);
          setProblem(found);
          if (found !== undefined) return;
          keepBox(name);
          onChange(name);
          onClose();
        }}
      >
        <TextField
          label="Name of the box"
          help="Applications agree on names. A box begins to exist with its first message."
          value={name}
          onInput={setName}
          error={problem}
        />
        <div class="dialog-actions">
          <Button kind="primary" type="submit">
            Open the box
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
