/**
 * Where the package's own thread entry points are. The compiler rewrites import specifiers, not URLs, so the extension
 * follows from this module's own: `.ts` when run from the sources, `.js` when built.
 */
const OWN = import.meta.url
export const FROM_SOURCES: boolean = OWN.endsWith('.ts')

/** URL of `workers/<name>` beside this build or these sources. */
export function workerUrl(name: string): URL {
  return new URL(`../../workers/${name}${FROM_SOURCES ? '.ts' : '.js'}`, OWN)
}

/** What a worker on a TypeScript file needs when the package runs from its sources: a loader. Nothing when built. */
export function loaderArguments(url: string | URL): string[] {
  if (!FROM_SOURCES || !String(url).endsWith('.ts')) return []
  return ['--import', new URL('../../test/support/register-tsx.mjs', OWN).href]
}
