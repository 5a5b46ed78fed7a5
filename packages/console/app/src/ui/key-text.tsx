import { CopyButton } from './copy-button.js';

export interface KeyTextProps {
  /** 66 hex characters. */
  readonly value: string;
  /** Whose key it is, for readers of the screen. */
  readonly what?: string;
  /** All of it instead of its ends. */
  readonly full?: boolean;
  /** Without a button to copy it. */
  readonly plain?: boolean;
}

/** An identity key: its ends, or all of it. */
export function KeyText({ value, what = 'identity key', full = false, plain = false }: KeyTextProps) {
  return (
    <span class="key" data-full={full}>
      <code title={full ? undefined : value}>{full ? value : shortenKey(value)}</code>
      {!plain && <CopyButton text={value} what={what} />}
    </span>
  );
}

/** The ends of a key, by which people tell keys apart. */
export function shortenKey(key: string): string {
  return key.length <= 20 ? key : `${key.slice(0, 10)}…${key.slice(-6)}`;
}
