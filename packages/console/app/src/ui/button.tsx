import type { ComponentChildren } from 'preact';

export interface ButtonProps {
  readonly children: ComponentChildren;
  readonly onClick?: () => unknown;
  readonly type?: 'button' | 'submit';
  readonly kind?: 'normal' | 'primary' | 'danger' | 'quiet';
  readonly size?: 'normal' | 'small';
  readonly disabled?: boolean;
  /** What the button does, where its text alone does not say it. */
  readonly label?: string;
}

export function Button({
  children,
  onClick,
  type = 'button',
  kind = 'normal',
  size = 'normal',
  disabled,
  label,
}: ButtonProps) {
  return (
    <button
      class="button"
      type={type}
      data-kind={kind}
      data-size={size}
      disabled={disabled}
      aria-label={label}
      onClick={() => void onClick?.()}
    >
      {children}
    </button>
  );
}
