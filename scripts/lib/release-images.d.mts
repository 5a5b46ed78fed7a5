/** The images of others that a compose file names, by their variables. */
export function composeImages(compose: string): Record<string, string>;
/** Variables for docker-compose.yml. */
export function imagesEnv(ours: Readonly<Record<string, string>>, others: Readonly<Record<string, string>>): string;
/** `images` of a kustomization. */
export function imagesYaml(ours: Readonly<Record<string, string>>): string;
