/**
 * The places in the source that the transform has instrumented. A module announces its places when it is loaded, and
 * gets the number of the first of them; an event carries a number.
 */
export type Site = readonly [line: number, column: number, text: string]

const files: string[] = []
const rows: Site[] = []
const fileOf: number[] = []

/** Announces the places of a module. @returns the number of the first of them */
export function $sites(file: string, places: readonly Site[]): number {
  const first = rows.length
  const at = files.push(file) - 1
  for (const place of places) {
    rows.push(place)
    fileOf.push(at)
  }
  return first
}

/** `file:line:column` of a place, or '' for none. */
export function placeOf(site: number): string {
  const row = rows[site]
  return row === undefined ? '' : `${files[fileOf[site]!]!}:${row[0]}:${row[1]}`
}

/** The source text of a place, shortened to one line. */
export function textOf(site: number): string {
  return rows[site]?.[2] ?? ''
}
