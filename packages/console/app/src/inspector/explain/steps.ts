import type { LabelledBytes } from '../wire/labelled-bytes.js';

/** A named value of a step. Values can come from others: the view shows them as plain text. */
export interface Fact {
  readonly label: string;
  readonly value: string;
  /** `code` for keys, nonces and bytes: monospace, with a copy button. */
  readonly form?: 'code' | 'text';
}

/** Bytes that a step talks about. */
export interface StepBytes {
  readonly title: string;
  readonly content: LabelledBytes;
}

/** One step of what two parties did to trust each other. */
export interface Step {
  readonly title: string;
  /** One or more sentences, for readers who do not know the protocol. */
  readonly text: string;
  readonly facts: readonly Fact[];
  readonly bytes?: readonly StepBytes[];
  /** True and false: something was verified, with this result. Undefined: nothing was, or it could not be. */
  readonly verified: boolean | undefined;
}

/** What a record of the traffic says, step by step. */
export interface Explanation {
  readonly summary: string;
  readonly steps: readonly Step[];
}

/** A fact in monospace. */
export const code = (label: string, value: string): Fact => ({ label, value, form: 'code' });

/** A fact in words. */
export const text = (label: string, value: string): Fact => ({ label, value, form: 'text' });
