/** What a page consists of. */
export interface PageOptions {
  readonly title: string;
  readonly current: 'routes' | 'live';
  readonly styles?: readonly string[];
  readonly scripts?: readonly string[];
  /** HTML. */
  readonly body: string;
}

const LINKS = [
  { id: 'routes', href: './', label: 'HTTP routes' },
  { id: 'live', href: 'live', label: 'Live events' },
] as const;

/** An HTML page below `/docs/`. Its links are relative, because a proxy may put any path before it. */
export function renderPage({ title, current, styles = [], scripts = [], body }: PageOptions): string {
  const links = LINKS.map(
    ({ id, href, label }) => `<a href="${href}"${id === current ? ' aria-current="page"' : ''}>${label}</a>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
${[...styles, 'pages.css'].map((name) => `<link rel="stylesheet" href="${name}">`).join('\n')}
<link rel="icon" href="data:,">
</head>
<body>
<header><strong>MessageBox</strong><nav aria-label="Documentation">${links.join('')}<a href="../${current === 'live' ? 'asyncapi' : 'openapi'}.json">JSON</a></nav></header>
${body}
${scripts.map((name) => `<script src="${name}" defer></script>`).join('\n')}
</body>
</html>
`;
}

/** Makes a text inert in HTML, in attributes as well. */
export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** The same for a text of the documents, whose code is between backticks and whose lists begin with `- `. */
export function renderText(text: string): string {
  return text
    .trim()
    .split(/\n{2,}/)
    .map((paragraph) => {
      const lines = paragraph.split('\n');
      if (!lines.every((line) => line.startsWith('- '))) return `<p>${renderInline(paragraph)}</p>`;
      return `<ul>${lines.map((line) => `<li>${renderInline(line.slice(2))}</li>`).join('')}</ul>`;
    })
    .join('\n');
}

function renderInline(text: string): string {
  return escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}
