/** A source file as the transform sees it: its tree, its names, and the way from a node back to the original text. */
import { SourceMap } from 'node:module'
import { relative } from 'node:path'
import { parseSync } from 'oxc-parser'
import { transformSync } from 'oxc-transform'
import { fail } from '../failure.ts'
import type { Site } from '../sites.ts'
import { Lines } from './rope.ts'
import { scopesOf, type Scope, type Scopes, type Variable } from './scopes.ts'
import { walk, type Node } from './syntax.ts'

/** Longest text of a place. */
const TEXT_LENGTH = 60

/** A source map as the tools hand it over. */
export interface RawMap {
  version: number
  sources: (string | null)[]
  sourcesContent?: (string | null)[]
  names: string[]
  mappings: string
  file?: string
}

interface Parsed {
  readonly program: Node
  /** The offset and the message of the first error. */
  readonly error: { readonly at: number; readonly message: string } | undefined
}

function parse(path: string, code: string, lang: 'js' | 'ts'): Parsed {
  const result = parseSync(path, code, { lang, sourceType: 'module', showSemanticErrors: lang === 'js' })
  const [first] = result.errors
  const error = first && { at: first.labels[0]?.start ?? 0, message: first.message }
  return { program: result.program as unknown as Node, error }
}

export function isTypeScript(path: string): boolean {
  return /\.[mc]?tsx?$/.test(path)
}

/** A name for people: relative to the working directory if it lies there. */
function shownName(path: string): string {
  const short = relative(process.cwd(), path)
  return short === '' || short.startsWith('..') ? path : short
}

function keyOf(node: Node): string {
  return `${node.type}:${node.start}`
}

export class Source {
  /** A number of its own among the files of a project. */
  readonly index: number
  readonly path: string
  readonly original: string
  /** The JavaScript: `original` without its types. */
  readonly code: string
  readonly map: RawMap | undefined
  readonly program: Node
  readonly lines: Lines
  private readonly names: Scopes
  private readonly originalLines: Lines
  private readonly toOriginal: SourceMap | undefined
  private readonly originalEnds: Map<string, number[]> | undefined

  /** @throws Failure 'unsupported' for text that cannot be parsed */
  constructor(index: number, path: string, original: string) {
    this.index = index
    this.path = path
    this.original = original
    this.originalLines = new Lines(original)
    if (/\.c[jt]s$/.test(path)) this.refuseAt(0, 'only ES modules can be explored, not CommonJS')
    if (isTypeScript(path)) {
      const typed = parse(path, original, 'ts')
      if (typed.error) this.refuseAt(typed.error.at, typed.error.message)
      const stripped = transformSync(path, original, { lang: 'ts', sourcemap: true, target: 'esnext' })
      if (stripped.errors[0]) this.refuseAt(stripped.errors[0].labels[0]?.start ?? 0, stripped.errors[0].message)
      this.code = stripped.code
      this.map = stripped.map as RawMap
      this.toOriginal = new SourceMap({ ...this.map, file: path, sourceRoot: '' } as never)
      this.originalEnds = new Map()
      const ends = this.originalEnds
      walk(typed.program, (node) => void this.addEnd(ends, node))
    } else this.code = original
    this.lines = new Lines(this.code)
    const { program, error } = parse(path, this.code, 'js')
    if (error) this.refuseAt(this.originalOffset(error.at), error.message)
    this.program = program
    this.names = scopesOf(program)
  }

  /** The scope in which a node stands; for a function, a block or a class the one it makes. */
  scopeOf(node: Node): Scope {
    return this.names.scopes.get(node)!
  }

  parentOf(node: Node): Node | undefined {
    return this.names.parents.get(node)
  }

  resolve(identifier: Node): Variable | undefined {
    return this.scopeOf(identifier).resolve(identifier.name)
  }

  /** Whether a name means a variable of another function than the one it stands in. */
  isOuter(identifier: Node): boolean {
    return this.resolve(identifier)?.scope.owner !== this.scopeOf(identifier).owner
  }

  usesArguments(node: Node): boolean {
    return this.names.usesArguments.has(node)
  }

  /** Where a node stands in the original, and its text there. */
  siteOf(node: Node): Site {
    const at = this.originalOffset(node.start)
    const line = this.originalLines.line(at)
    const end = this.originalEnd(node, at)
    const text = (end === undefined ? this.code.slice(node.start, node.end) : this.original.slice(at, end))
      .replace(/\s+/g, ' ')
      .trim()
    const short = text.length > TEXT_LENGTH ? `${text.slice(0, TEXT_LENGTH - 1)}…` : text
    return [line + 1, at - this.originalLines.offset(line, 0) + 1, short]
  }

  /** The name under which places of this file are shown. */
  get shown(): string {
    return shownName(this.path)
  }

  /** @throws Failure 'unsupported' naming the place */
  refuse(node: Node, message: string): never {
    return this.refuseAt(this.originalOffset(node.start), message)
  }

  private refuseAt(offset: number, message: string): never {
    const line = this.originalLines.line(offset)
    const column = offset - this.originalLines.offset(line, 0)
    return fail('unsupported', `${shownName(this.path)}:${line + 1}:${column + 1}: ${message}`)
  }

  private originalOffset(offset: number): number {
    if (this.toOriginal === undefined) return offset
    const line = this.lines.line(offset)
    const entry = this.toOriginal.findEntry(line, this.lines.column(offset)) as {
      originalLine?: number
      originalColumn?: number
    }
    if (entry.originalLine === undefined) return 0
    return this.originalLines.offset(entry.originalLine, entry.originalColumn ?? 0)
  }

  private addEnd(ends: Map<string, number[]>, node: Node): void {
    const key = keyOf(node)
    const known = ends.get(key)
    if (known === undefined) ends.set(key, [node.end])
    else {
      known.push(node.end)
      known.sort((a, b) => a - b)
    }
  }

  /** Nodes of one type that start at one place, as in `a.b.c`, have the same order in both texts. */
  private originalEnd(node: Node, at: number): number | undefined {
    if (this.originalEnds === undefined) return node.end
    const ends = this.originalEnds.get(`${node.type}:${at}`)
    if (ends === undefined) return undefined
    let rank = 0
    walk(node, (inner) => {
      if (inner !== node && inner.type === node.type && inner.start === node.start) rank++
      return inner.start === node.start
    })
    return ends[rank]
  }
}
