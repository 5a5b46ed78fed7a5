/** What this project reads of the output of `pnpm audit --json`. */
export interface AuditReport {
  readonly advisories?: Readonly<Record<string, Advisory>>;
  /** Instead of advisories, when the registry gave no answer. */
  readonly error?: { readonly code?: string; readonly message?: string };
}

interface Advisory {
  readonly module_name: string;
  readonly severity: string;
  readonly title: string;
  readonly github_advisory_id: string;
  readonly findings: readonly { readonly version: string }[];
}

/** A finding that is accepted for a time, with the reason. `until` is the last day, such as `2026-12-31`. */
export interface AuditException {
  readonly advisory: string;
  readonly package: string;
  readonly because: string;
  readonly until: string;
}

export interface AuditVerdict {
  /** Lines about what has to be done. The audit fails when there is one. */
  readonly failures: readonly string[];
  readonly notes: readonly string[];
  /** Why there was no answer from the registry. */
  readonly unavailable: string | undefined;
}

export function judgeAudit(
  report: AuditReport,
  context: {
    readonly exceptions: readonly AuditException[];
    readonly inImages: ReadonlySet<string>;
    readonly today: string;
  },
): AuditVerdict;
