/** The rows of docs/errors.md, in the order of the document. */
export function parseErrorCatalogue(
  markdown: string,
): { code: string; statuses: number[]; section: string; cause: string; cure: string }[];

/** The TypeScript module with the rows of docs/errors.md. */
export function errorCatalogueModule(): string;
