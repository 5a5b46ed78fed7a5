import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';

export interface TabOption<T extends string> {
  readonly value: T;
  readonly label: string;
}

export interface TabsProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly TabOption<T>[];
  readonly onChange: (value: T) => void;
  /** The content of the chosen tab. */
  readonly children: ComponentChildren;
}

/** Tabs that arrow keys, Home and End move between (ARIA Authoring Practices, tabs with automatic activation). */
export function Tabs<T extends string>({ label, value, options, onChange, children }: TabsProps<T>) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const at = options.findIndex((option) => option.value === value);
    const targets: Readonly<Record<string, number>> = {
      ArrowRight: (at + 1) % options.length,
      ArrowLeft: (at + options.length - 1) % options.length,
      Home: 0,
      End: options.length - 1,
    };
    const target = targets[event.key];
    const option = target === undefined ? undefined : options[target];
    if (target === undefined || option === undefined) return;
    event.preventDefault();
    onChange(option.value);
    list.current?.querySelectorAll<HTMLElement>('[role=tab]')[target]?.focus();
  };
  return (
    <div class="tabs">
      <div class="tab-list" role="tablist" aria-label={label} ref={list} onKeyDown={onKeyDown}>
        {options.map((option) => (
          <button
            key={option.value}
            type="button"
            role="tab"
            id={`${id}-${option.value}`}
            aria-selected={option.value === value}
            aria-controls={`${id}-panel`}
            tabIndex={option.value === value ? 0 : -1}
            onClick={() => onChange(option.value)}
          >
            {option.label}
          </button>
        ))}
      </div>
      <div class="tab-panel" role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${value}`}>
        {children}
      </div>
    </div>
  );
}
