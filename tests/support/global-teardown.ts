/** Runs once after all suites. */
export default async function globalTeardown(): Promise<void> {}
