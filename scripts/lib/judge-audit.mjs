// Decides what the report of `pnpm audit --json` means.

const FAILING = ['high', 'critical'];
const DATE = /^\d{4}-\d{2}-\d{2}$/;

/**
 * @param {import('./judge-audit.mjs').AuditReport} report
 * @param {object} context
 * @param {readonly import('./judge-audit.mjs').AuditException[]} context.exceptions
 * @param {ReadonlySet<string>} context.inImages what runs in production, as `name@version`
 * @param {string} context.today such as `2026-11-30`
 * @returns {import('./judge-audit.mjs').AuditVerdict}
 */
export function judgeAudit(report, { exceptions, inImages, today }) {
  const failures = exceptions.flatMap((exception) => findProblem(exception) ?? []);
  if (report.advisories === undefined) {
    return { failures, notes: [], unavailable: report.error?.message ?? 'The answer has no advisories.' };
  }
  const notes = [];
  const used = new Set();
  for (const advisory of Object.values(report.advisories)) {
    const ids = advisory.findings.map(({ version }) => `${advisory.module_name}@${version}`);
    const images = ids.some((id) => inImages.has(id));
    const line = `${advisory.severity}: ${[...new Set(ids)].join(', ')}: ${advisory.title} (${advisory.github_advisory_id})`;
    const exception = exceptions.find(
      (one) => one.advisory === advisory.github_advisory_id && one.package === advisory.module_name,
    );
    if (exception !== undefined) used.add(exception);
    if (!images) notes.push(`${line}; it is in no image`);
    else if (!FAILING.includes(advisory.severity)) notes.push(line);
    else if (exception === undefined) failures.push(line);
    else if (!(exception.until >= today)) failures.push(`${line}; its exception ended on ${exception.until}`);
    else notes.push(`${line}; accepted until ${exception.until}: ${exception.because}`);
  }
  for (const exception of exceptions) {
    if (!used.has(exception))
      notes.push(`${exception.advisory} of ${exception.package} is an exception without a finding`);
  }
  return { failures, notes, unavailable: undefined };
}

/** @param {import('./judge-audit.mjs').AuditException} exception */
function findProblem({ advisory, package: name, because, until }) {
  const isComplete = [advisory, name, because].every((text) => typeof text === 'string' && text.trim() !== '');
  if (isComplete && DATE.test(until) && !Number.isNaN(Date.parse(until))) return undefined;
  return `The exception ${advisory} of ${name} must have advisory, package, because, and until as YYYY-MM-DD.`;
}
