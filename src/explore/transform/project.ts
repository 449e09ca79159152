/**
 * The files that are explored together. Which functions have to be coroutines is a question about all of them at once,
 * so they are read and analysed when the project is made, and rewritten one by one when they are loaded.
 */
import { readFileSync } from 'node:fs'
import remapping, { type DecodedSourceMap, type EncodedSourceMap } from '@jridgewell/remapping'
import { Colours } from './colour.ts'
import { Emitter } from './emitter.ts'
import { REWRITES } from './rewrites.ts'
import { flatten, type Rope } from './rope.ts'
import { Source, type RawMap } from './source.ts'

export interface ProjectOptions {
  /** Absolute paths. */
  readonly files: readonly string[]
  /** How the rewritten code imports the runtime module. */
  readonly runtime: string
}

export interface Instrumented {
  readonly code: string
  readonly map: RawMap
}

export interface Module {
  readonly id: string
  readonly code: string
}

/** The rewritten code of a file, with a map back to the original. */
function rewrite(source: Source, colours: Colours, runtime: string): Instrumented {
  const emitter = new Emitter(source, colours, REWRITES)
  const program = emitter.emit(source.program)
  const declared = emitter.declarations(emitter.frame)
  const sites =
    emitter.sites.length === 0
      ? ''
      : ` const $s = ${emitter.helper('sites')}(${JSON.stringify(source.shown)}, ${JSON.stringify(emitter.sites)});`
  const names = [...emitter.helpers].map((name) => `$${name}`).join(', ')
  const helpers = names === '' ? '' : `import * as $rt from ${JSON.stringify(runtime)}; const { ${names} } = $rt;`
  const hashbang = /^#!.*\n/.exec(source.code)?.[0] ?? ''
  const rest: Rope = hashbang === '' ? program : cut(program, hashbang.length)
  const declarations = `${helpers}${sites}${declared}`
  const head = declarations === '' ? '' : `${declarations} `
  const { code, mappings } = flatten([hashbang, head, rest, emitter.lifted], source.code, source.lines)
  const map: DecodedSourceMap = {
    version: 3,
    names: [],
    sources: [source.path],
    sourcesContent: [source.code],
    mappings,
  }
  const stages = source.map === undefined ? [map] : [map, source.map as EncodedSourceMap]
  const composed = remapping(stages, () => null)
  return {
    code,
    map: {
      version: 3,
      names: composed.names,
      sources: [source.path],
      sourcesContent: [source.original],
      mappings: String(composed.mappings),
    },
  }
}

/** A rope without its first characters, which are copied from the source. */
function cut(rope: Rope, length: number): Rope {
  if (typeof rope === 'string') return rope
  if (!Array.isArray(rope)) {
    const { start, end } = rope as { start: number; end: number }
    return { start: Math.max(start, length), end: Math.max(end, length) }
  }
  const [first, ...others] = rope as readonly Rope[]
  return first === undefined ? [] : [cut(first, length), ...others]
}

export class Project {
  private readonly sources = new Map<string, Source>()
  private readonly runtime: string
  private colours: Colours

  /** @throws Failure 'unsupported' with file:line:column for what cannot be explored */
  constructor(
    { files, runtime }: ProjectOptions,
    read: (path: string) => string = (path) => readFileSync(path, 'utf8'),
  ) {
    this.runtime = runtime
    for (const path of files) this.sources.set(path, new Source(this.sources.size, path, read(path)))
    this.colours = new Colours([...this.sources.values()])
  }

  /** Whether a file belongs to the project. */
  has(path: string): boolean {
    return this.sources.has(path)
  }

  /**
   * Rewrites a file of the project.
   * @param code its text, if it may have changed since the project was made
   * @throws Failure 'unsupported' with file:line:column for what cannot be explored
   */
  instrument(path: string, code?: string): Instrumented {
    let source = this.sources.get(path)
    if (source === undefined) throw new Error(`${path} is not a file of the project`)
    if (code !== undefined && code !== source.original) {
      source = new Source(source.index, path, code)
      this.sources.set(path, source)
      this.colours = new Colours([...this.sources.values()])
    }
    return rewrite(source, this.colours, this.runtime)
  }
}

/** Rewrites modules that are explored together. @throws Failure 'unsupported' with file:line:column */
export function instrumentSources(
  modules: readonly Module[],
  { runtime }: { runtime: string },
): (Module & Instrumented)[] {
  const texts = new Map(modules.map(({ id, code }) => [id, code]))
  const project = new Project({ files: [...texts.keys()], runtime }, (path) => texts.get(path)!)
  return modules.map(({ id }) => ({ id, ...project.instrument(id) }))
}
