import path from 'node:path';

/** A file that the pages load. */
export interface Asset {
  /** The gzipped file. */
  readonly file: string;
  readonly contentType: string;
}

/** Written by `copy-assets.mjs`, whether this runs from the sources, from `dist`, or from a bundle in `dist` of the npm package. */
const FOLDER = path.join(import.meta.dirname, '..', 'dist', 'assets');
const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';

const ASSETS: ReadonlyMap<string, string> = new Map([
  ['swagger-ui-bundle.js', SCRIPT],
  ['swagger-ui.css', STYLE],
  ['openapi-page.js', SCRIPT],
  ['pages.css', STYLE],
]);

/** @param name as in the URL */
export function findAsset(name: string): Asset | undefined {
  const contentType = ASSETS.get(name);
  return contentType === undefined ? undefined : { file: path.join(FOLDER, `${name}.gz`), contentType };
}
