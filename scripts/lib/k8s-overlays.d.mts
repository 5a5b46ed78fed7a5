/** Fills in what the production overlay in a copy of k8s leaves empty on purpose, so that it renders. */
export function fillProduction(folder: string): void;
/** The lines of rendered manifests with a name that stands for one of yours, each once. */
export function findPlaceholders(manifests: string): string[];
