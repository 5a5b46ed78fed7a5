import type { ComponentChildren } from 'preact';

export interface BadgeProps {
  readonly tone?: 'normal' | 'ok' | 'warning' | 'danger' | 'accent';
  readonly children: ComponentChildren;
}

/** A state in one or two words. */
export function Badge({ tone = 'normal', children }: BadgeProps) {
  return (
    <span class="badge" data-tone={tone}>
      {children}
    </span>
  );
}
