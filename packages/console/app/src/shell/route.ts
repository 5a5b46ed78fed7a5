import { signal } from '@preact/signals';

/** What the address names after `#/`, for example `['messages']`. */
export const route = signal<readonly string[]>(readRoute());

window.addEventListener('hashchange', () => {
  route.value = readRoute();
});

function readRoute(): readonly string[] {
  return window.location.hash
    .replace(/^#\/?/, '')
    .split('/')
    .filter((part) => part !== '');
}
