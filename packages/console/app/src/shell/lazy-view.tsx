import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Button } from '../ui/button.js';
import { Notice } from '../ui/notice.js';
import type { View } from './views.js';

/** Loads a view and shows it; says what happens meanwhile, and when it can't be loaded. */
export function LazyView({ view }: { readonly view: View }) {
  const [Page, setPage] = useState<ComponentType>();
  const [hasFailed, setHasFailed] = useState(false);
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let isShown = true;
    setHasFailed(false);
    view.load().then(
      (module) => isShown && setPage(() => module.default),
      () => isShown && setHasFailed(true),
    );
    return () => {
      isShown = false;
    };
  }, [view, attempt]);
  if (Page !== undefined) return <Page />;
  if (!hasFailed) return <p class="view-wait">Loading {view.label} …</p>;
  return (
    <Notice tone="danger" title="This page could not be loaded.">
      <p>The server does not answer, or it was updated meanwhile. Check the connection, and try again.</p>
      <div class="row">
        <Button onClick={() => setAttempt(attempt + 1)}>Try again</Button>
        <Button kind="quiet" onClick={() => window.location.reload()}>
          Reload the console
        </Button>
      </div>
    </Notice>
  );
}
