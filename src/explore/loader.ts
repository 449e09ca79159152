/** Module hooks that instrument what an entry file reaches by relative imports, and load TypeScript; see register.ts. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isOwn, runtimeUrl } from './files.ts'
import { Project, crawl, stripTypes } from './transform/index.ts'

interface Resolved {
  readonly url: string
  readonly shortCircuit?: boolean
}

interface Loaded {
  readonly format: string
  readonly source: string
  readonly shortCircuit: boolean
}

type NextResolve = (specifier: string, context: unknown) => Promise<Resolved>
type NextLoad = (url: string, context: unknown) => Promise<Loaded>

const projects: Project[] = []
const TYPED = /\.m?ts$/

export interface LoaderData {
  /** Paths of the files from which everything is reached. */
  readonly entries: readonly string[]
}

export function initialize({ entries }: LoaderData): void {
  const files = [...new Set(entries.flatMap((entry) => crawl(entry)))].filter((path) => !isOwn(path))
  projects.push(new Project({ files, runtime: runtimeUrl().href }))
}

/** TypeScript sources may name each other as what they are compiled to. */
export async function resolve(
  specifier: string,
  context: { parentURL?: string },
  next: NextResolve,
): Promise<Resolved> {
  if (specifier.startsWith('.') && context.parentURL?.startsWith('file:') === true) {
    const url = new URL(specifier, context.parentURL)
    const typed = url.href.replace(/\.([mc]?)js$/, '.$1ts')
    if (typed !== url.href && !existsSync(url) && existsSync(new URL(typed))) return { url: typed, shortCircuit: true }
  }
  return next(specifier, context)
}

export async function load(url: string, context: unknown, next: NextLoad): Promise<Loaded> {
  if (!url.startsWith('file:')) return next(url, context)
  const path = fileURLToPath(url)
  const project = projects.find((one) => one.has(path))
  if (project === undefined) {
    if (!TYPED.test(path) || path.includes('node_modules')) return next(url, context)
    return { format: 'module', source: stripTypes(path, readFileSync(path, 'utf8')), shortCircuit: true }
  }
  const { code, map } = project.instrument(path)
  const comment = `\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`
  return { format: 'module', source: code + comment, shortCircuit: true }
}
