import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

/** What an input needs to belong to its label and texts. */
export interface FieldControl {
  readonly id: string;
  readonly class: string;
  readonly 'aria-describedby': string | undefined;
  readonly 'aria-invalid': boolean | undefined;
}

export interface FieldProps {
  readonly label: string;
  readonly help?: ComponentChildren;
  /** What is wrong with the value, as a sentence. */
  readonly error?: string | undefined;
  readonly children: (control: FieldControl) => ComponentChildren;
}

/** A label, an input and what is to be said about it. */
export function Field({ label, help, error, children }: FieldProps) {
  const id = useId();
  const described = [help !== undefined && `${id}-help`, error !== undefined && `${id}-error`]
    .filter(Boolean)
    .join(' ');
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        id,
        class: 'input',
        'aria-describedby': described === '' ? undefined : described,
        'aria-invalid': error === undefined ? undefined : true,
      })}
      {help !== undefined && (
        <span class="field-help" id={`${id}-help`}>
          {help}
        </span>
      )}
      {error !== undefined && (
        <span class="field-error" id={`${id}-error`} role="alert">
          {error}
        </span>
      )}
    </div>
  );
}

export interface TextFieldProps extends Omit<FieldProps, 'children'> {
  readonly value: string;
  readonly onInput: (value: string) => void;
  /** Which keyboard a phone shows. */
  readonly inputMode?: 'text' | 'numeric';
  readonly placeholder?: string;
  readonly maxLength?: number;
  /** Keys and numbers, which are read character by character. */
  readonly mono?: boolean;
  readonly disabled?: boolean;
}

/** A field of one line. */
export function TextField(props: TextFieldProps) {
  const {
    value,
    onInput,
    inputMode = 'text',
    placeholder,
    maxLength,
    mono = false,
    disabled = false,
    ...field
  } = props;
  return (
    <Field {...field}>
      {(control) => (
        <input
          {...control}
          class={mono ? 'input mono' : 'input'}
          type="text"
          inputMode={inputMode}
          value={value}
          placeholder={placeholder}
          maxLength={maxLength}
          disabled={disabled}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
