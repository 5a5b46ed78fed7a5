import { useState } from 'preact/hooks';
import { Button } from './button.js';
import { showToast } from './toast.js';

const CONFIRMED_MS = 2_000;

export interface CopyButtonProps {
  readonly text: string;
  /** What is copied, for readers of the screen: `identity key`. */
  readonly what: string;
}

export function CopyButton({ text, what }: CopyButtonProps) {
  const [isCopied, setIsCopied] = useState(false);
  const copy = async () => {
    try {
      // Browsers offer this to https and to localhost only.
      await navigator.clipboard.writeText(text);
      setIsCopied(true);
      setTimeout(() => setIsCopied(false), CONFIRMED_MS);
    } catch {
      showToast(`The browser did not let the console copy the ${what}. Select the text and copy it by hand.`, 'danger');
    }
  };
  return (
    <Button size="small" kind="quiet" onClick={copy} label={isCopied ? `The ${what} was copied` : `Copy the ${what}`}>
      {isCopied ? 'Copied' : 'Copy'}
    </Button>
  );
}
