/** Checks that options have in common. */
import { HeddleError } from '../memory/error.ts'

export function invalid(name: string, value: unknown, expected: string): HeddleError {
  return new HeddleError('HEDDLE_INVALID_OPTION', `${name} is ${String(value)}; give ${expected}`)
}

export function integer(
  name: string,
  value: number | undefined,
  fallback: number,
  least: number,
  most: number,
): number {
  if (value === undefined) return fallback
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw invalid(name, value, `a whole number from ${least} to ${most}`)
  }
  return value
}

export function flag(name: string, value: boolean | undefined, fallback: boolean): boolean {
  if (value === undefined) return fallback
  if (typeof value !== 'boolean') throw invalid(name, value, 'true or false')
  return value
}

export function refuseUnknown(given: object, known: Set<string>, prefix: string): void {
  for (const name of Object.keys(given)) {
    if (known.has(name)) continue
    const list = [...known].join(', ')
    throw new HeddleError('HEDDLE_INVALID_OPTION', `${prefix}${name} is no option; known are ${list}`)
  }
}
