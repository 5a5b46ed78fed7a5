import { effect, signal } from '@preact/signals';
import { readStored, writeStored } from '../ui/storage.js';

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'messagebox.theme';
const stored = readStored(localStorage, KEY);
const prefersDark = window.matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(prefersDark.matches);
prefersDark.addEventListener('change', (event) => {
  systemIsDark.value = event.matches;
});

/** What the visitor chose; `auto` follows the system. */
export const theme = signal<Theme>(THEMES.find((known) => known === stored) ?? 'auto');

/** Keeps the page in the theme, and the choice in the browser. */
export function applyTheme(): void {
  effect(() => {
    const isDark = theme.value === 'dark' || (theme.value === 'auto' && systemIsDark.value);
    document.documentElement.dataset['theme'] = isDark ? 'dark' : 'light';
    writeStored(localStorage, KEY, theme.value === 'auto' ? undefined : theme.value);
  });
}
