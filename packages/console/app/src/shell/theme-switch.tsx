import { Segmented } from '../ui/segmented.js';
import { THEMES, theme } from './theme.js';

const LABELS = { auto: 'Auto', light: 'Light', dark: 'Dark' } as const;

/** Chooses between the system's theme, light and dark. */
export function ThemeSwitch() {
  return (
    <Segmented
      label="Theme"
      value={theme.value}
      options={THEMES.map((value) => ({ value, label: LABELS[value] }))}
      onChange={(value) => {
        theme.value = value;
      }}
    />
  );
}
