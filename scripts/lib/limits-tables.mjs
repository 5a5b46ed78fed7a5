// The tables of docs/limits.md that are made of the configuration's own description.

const TITLES = {
  rates: 'Rates',
  requests: 'Requests and answers',
  sockets: 'Sockets',
  stored: 'What is stored',
  overlay: 'The overlay',
};
const BEGIN = '<!-- begin of what scripts/limits-doc.mjs writes -->';
const END = '<!-- end of what scripts/limits-doc.mjs writes -->';

/**
 * The text of docs/limits.md with its tables brought up to date.
 *
 * @param {string} text as it is now; what is between its two marks is replaced
 * @param {readonly import('../../packages/shared/dist/config/limit-variables.js').DescribedLimit[]} limits
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
  const rows = limits.map(({ name, byDefault, bounds, beyond, metric, isShared }) => {
    const scope = isShared ? 'all' : 'each';
    const labels = metric.map((label) => `\`${label}\` `).join('');
    return `| \`${name}\` | ${byDefault} | ${bounds} | ${scope} | ${beyond} | ${labels}|`;
  });
  const head = [
    '| variable | default | what it bounds | instances | beyond it | metric |',
    '| --- | --- | --- | --- | --- | --- |',
  ];
  return [`### ${title}`, '', ...head, ...rows, ''].join('\n');
}
