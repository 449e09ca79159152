/** Where a call came from, for messages about code that has no places of its own. */

/** ` (at file:line:column)` of the first caller outside this package, or ''. */
export function placeOfCaller(): string {
  const lines = (new Error().stack ?? '').split('\n').slice(2)
  const own = new URL('.', import.meta.url).href
  const line = lines.find((text) => !text.includes(own) && !text.includes(own.slice('file://'.length)))
  const place = line === undefined ? undefined : /\(?((?:file:\/\/|\/|[A-Z]:\\)[^)]*)\)?$/.exec(line.trim())?.[1]
  return place === undefined ? '' : ` (at ${place})`
}
