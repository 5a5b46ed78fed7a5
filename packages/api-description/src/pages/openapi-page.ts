import { renderPage } from './page.js';

/** The page that shows `openapi.json` with Swagger UI. */
export function renderOpenApiPage(): string {
  return renderPage({
    title: 'MessageBox: HTTP routes',
    current: 'routes',
    styles: ['swagger-ui.css'],
    scripts: ['swagger-ui-bundle.js', 'openapi-page.js'],
    body: '<main id="viewer"><p class="intro">The description is loading. It needs JavaScript; <a href="../openapi.json">openapi.json</a> does not.</p></main>',
  });
}
