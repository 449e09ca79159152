/** TypeScript that is not explored still has to be run. */
import { transformSync } from 'oxc-transform'
import { fail } from '../failure.ts'

/** The JavaScript of a TypeScript file. @throws Failure 'unsupported' if it has none */
export function stripTypes(path: string, code: string): string {
  const { code: stripped, errors } = transformSync(path, code, { lang: 'ts', target: 'esnext' })
  if (errors[0] !== undefined) fail('unsupported', `${path}: ${errors[0].message}`)
  return stripped
}
