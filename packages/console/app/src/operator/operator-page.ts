import type { ComponentType } from 'preact';
import type { OperatorApi } from './operator-api.js';

/** What each page of the operators' part gets. */
export interface OperatorPageProps {
  readonly api: OperatorApi;
}

/** A page of the operators' part. */
export interface OperatorPage {
  /** After `#/operator/` in the address. */
  readonly path: string;
  readonly label: string;
  readonly Page: ComponentType<OperatorPageProps>;
}
