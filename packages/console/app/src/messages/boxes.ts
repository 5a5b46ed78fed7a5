import { signal } from '@preact/signals';
import { readStored, writeStored } from '../ui/storage.js';
import { findBoxProblem } from './box-name.js';

/** Boxes that every application knows, with what they are for. */
export const COMMON_BOXES: readonly string[] = ['inbox', 'payment_inbox', 'notifications'];
const MAX_OWN_BOXES = 30;
const KEY = 'messagebox.boxes';

/** Boxes that the visitor has named, in this browser. */
export const ownBoxes = signal<readonly string[]>(readOwnBoxes());

/** Keeps the name of a box for the next time. */
export function keepBox(name: string): void {
  if (COMMON_BOXES.includes(name) || ownBoxes.value.includes(name)) return;
  ownBoxes.value = [...ownBoxes.value, name].slice(-MAX_OWN_BOXES);
  writeStored(localStorage, KEY, JSON.stringify(ownBoxes.value));
}

function readOwnBoxes(): readonly string[] {
  try {
    const stored: unknown = JSON.parse(readStored(localStorage, KEY) ?? '[]');
    return Array.isArray(stored)
      ? stored.filter((name) => typeof name === 'string' && findBoxProblem(name) === undefined)
      : [];
  } catch {
    return [];
  }
}
