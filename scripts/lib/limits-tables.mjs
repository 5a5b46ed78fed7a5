// Writes the tables of docs/limits.md from the descriptions in the configuration.

const TITLES = {
  rates: 'Rates',
  requests: 'Requests and responses',
  sockets: 'Sockets',
  stored: 'Stored data',
  overlay: 'The overlay',
};
const BEGIN = '<!-- begin: written by scripts/docs.mjs -->';
const END = '<!-- end: written by scripts/docs.mjs -->';

/**
 * Returns the text of docs/limits.md with up-to-date tables.
 *
 * @param {string} text the current text; the part between its two marks is replaced
 * @param {readonly import('../../packages/shared/dist/config/describe-limit.js').DescribedLimit[]} limits
 * @returns {string}
 */
export function withLimitTables(text, limits) {
  const [before, rest, ...more] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined || more.length > 0) throw new Error('docs/limits.md has no marks');
  return `${before}${BEGIN}\n\n${tables(limits)}\n${END}${after}`;
}

function tables(limits) {
  return Object.entries(TITLES)
    .map(([group, title]) =>
      table(
        title,
        limits.filter((limit) => limit.group === group),
      ),
    )
    .join('\n');
}

function table(title, limits) {
  const rows = limits.map(({ group, name, byDefault, bounds, beyond, metric, isShared }) => {
    const scope = group === 'stored' ? 'database' : isShared ? 'all' : 'process';
    const labels = metric.map((label) => `\`${label}\` `).join('');
    return `| \`${name}\` | ${byDefault} | ${bounds} | ${scope} | ${beyond} | ${labels}|`;
  });
  const head = [
    '| variable | default | limits | scope | when exceeded | metric label |',
    '| --- | --- | --- | --- | --- | --- |',
  ];
  return [`### ${title}`, '', ...head, ...rows, ''].join('\n');
}
