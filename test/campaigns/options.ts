/** Arguments of the campaigns: `--seconds`, `--seed` and the like, whole numbers all. */
import { parseArgs } from 'node:util'

/**
 * Reads `--name <whole number>` for each of `defaults`.
 * @param usage what is printed, before the process ends, if they make no sense
 */
export function readNumbers<Name extends string>(usage: string, defaults: Record<Name, number>): Record<Name, number> {
  const names = Object.keys(defaults) as Name[]
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]))
  try {
    const { values } = parseArgs({ options })
    const read = { ...defaults }
    for (const name of names) {
      const text = values[name]
      if (text === undefined) continue
      if (typeof text !== 'string' || !/^\d{1,15}$/.test(text)) throw new Error(`--${name} must be a whole number`)
      read[name] = Number(text)
    }
    return read
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`)
    process.exit(2)
  }
}
