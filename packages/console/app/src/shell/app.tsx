import { useEffect, useRef } from 'preact/hooks';
import { Toasts } from '../ui/toast.js';
import { LazyView } from './lazy-view.js';
import { route } from './route.js';
import { ThemeSwitch } from './theme-switch.js';
import { VIEWS } from './views.js';

/** The frame around every view: brand, navigation, theme, and the view that the address names. */
export function App() {
  const view = VIEWS.find(({ path }) => path === route.value[0]) ?? VIEWS[0];
  const main = useRef<HTMLElement>(null);
  const shown = useRef(view);
  useEffect(() => {
    document.title = view === undefined ? 'MessageBox' : `${view.label} · MessageBox`;
    // A reader of the screen goes on at the new view; the first view takes no focus away.
    if (shown.current !== view) main.current?.focus();
    shown.current = view;
  }, [view]);
  return (
    <div class="shell">
      <button type="button" class="skip-link" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header class="topbar">
        <a class="brand" href="#/">
          <Mark />
          MessageBox
        </a>
        <nav aria-label="Console">
          <ul class="nav">
            {VIEWS.map(({ path, label }) => (
              <li key={path}>
                <a href={`#/${path}`} aria-current={path === view?.path ? 'page' : undefined}>
                  {label}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="topbar-end">
          <ThemeSwitch />
        </div>
      </header>
      <main class="main" id="main" tabIndex={-1} ref={main}>
        {view && <LazyView key={view.path} view={view} />}
      </main>
      <Toasts />
    </div>
  );
}

function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="currentColor" />
      <path d="M7 11h18v12H7z M7 12l9 7 9-7" class="mark-lines" />
    </svg>
  );
}
