import { signal } from '@preact/signals';
import { Button } from './button.js';

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'normal' | 'danger';
}

const MAX_TOASTS = 4;
const SHOWN_MS = 6_000;
const toasts = signal<readonly Toast[]>([]);
let lastId = 0;

/** Tells what has happened. What went wrong stays until it is dismissed; the rest goes by itself. */
export function showToast(text: string, tone: Toast['tone'] = 'normal'): void {
  const id = ++lastId;
  toasts.value = [...toasts.value, { id, text, tone }].slice(-MAX_TOASTS);
  if (tone === 'normal') setTimeout(() => dismiss(id), SHOWN_MS);
}

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** Where toasts appear; once in the page. */
export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map(({ id, text, tone }) => (
        <div class="toast" key={id} data-tone={tone}>
          <span>{text}</span>
          <Button kind="quiet" size="small" onClick={() => dismiss(id)}>
            Dismiss
          </Button>
        </div>
      ))}
    </div>
  );
}
