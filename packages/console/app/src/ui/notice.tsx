import type { ComponentChildren } from 'preact';

export interface NoticeProps {
  readonly tone?: 'normal' | 'ok' | 'warning' | 'danger';
  readonly title: string;
  readonly children?: ComponentChildren;
}

/** Something to know about what is below. Problems are announced. */
export function Notice({ tone = 'normal', title, children }: NoticeProps) {
  return (
    <div class="notice stack" data-tone={tone} role={tone === 'danger' || tone === 'warning' ? 'alert' : undefined}>
      <div>
        <p class="notice-title">{title}</p>
        {children}
      </div>
    </div>
  );
}
