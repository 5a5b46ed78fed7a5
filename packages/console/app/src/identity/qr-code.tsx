import { useMemo } from 'preact/hooks';
import qrcode from 'qrcode-generator';

const QUIET_ZONE = 4;

export interface QrCodeProps {
  readonly text: string;
  /** What the code holds, for readers of the screen. */
  readonly label: string;
}

/** A QR code, dark on light in both themes because scanners expect that. */
export function QrCode({ text, label }: QrCodeProps) {
  const { size, path } = useMemo(() => {
    const code = qrcode(0, 'M');
    code.addData(text);
    code.make();
    const count = code.getModuleCount();
    const cells = Array.from(
      { length: count * count },
      (_cell, index) => [Math.floor(index / count), index % count] as const,
    );
    const dark = cells.filter(([row, column]) => code.isDark(row, column));
    return {
      size: count + 2 * QUIET_ZONE,
      path: dark.map(([row, column]) => `M${column + QUIET_ZONE} ${row + QUIET_ZONE}h1v1h-1z`).join(''),
    };
  }, [text]);
  return (
    <svg class="qr-code" role="img" aria-label={label} viewBox={`0 0 ${size} ${size}`} shape-rendering="crispEdges">
      <path class="qr-light" d={`M0 0h${size}v${size}H0z`} />
      <path class="qr-dark" d={path} />
    </svg>
  );
}
