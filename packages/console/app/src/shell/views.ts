import type { ComponentType } from 'preact';

/** A page of the console. */
export interface View {
  /** After `#/` in the address. */
  readonly path: string;
  /** In the navigation, and the title of the window. */
  readonly label: string;
  /** Loads the page when it is first shown. */
  readonly load: () => Promise<{ readonly default: ComponentType }>;
}

/** In the order of the navigation; the first is shown where the address names none. */
export const VIEWS: readonly View[] = [
  { path: 'messages', label: 'Messages', load: () => import('../messages/messages-view.js') },
  { path: 'permissions', label: 'Permissions', load: () => import('../permissions/permissions-view.js') },
  { path: 'identity', label: 'Identity', load: () => import('../identity/identity-view.js') },
  { path: 'inspector', label: 'Inspector', load: () => import('../inspector/view/inspector-view.js') },
  { path: 'operator', label: 'Operator', load: () => import('../operator/operator-view.js') },
];
