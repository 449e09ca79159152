/** Which variables of other functions a function uses, and whether it can be given them as arguments instead. */
import type { Source } from './source.ts'
import type { Variable } from './scopes.ts'
import { walk, type Node } from './syntax.ts'

/** Whether an identifier is only a key or a label, and means no variable. */
export function isKey(source: Source, identifier: Node): boolean {
  const parent = source.parentOf(identifier)!
  switch (parent.type) {
    case 'MemberExpression':
      return parent.property === identifier && !parent.computed
    case 'Property':
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return parent.key === identifier && !parent.computed && !parent.shorthand
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
    case 'MetaProperty':
      return true
  }
  return false
}

function isInside({ scope }: Variable, node: Node): boolean {
  return scope.node.start >= node.start && scope.node.end <= node.end
}

/** Whether a variable has, whenever the function is called, the value that it has whenever the function uses it. */
function isSettled(variable: Variable, node: Node): boolean {
  if (variable.changes) return false
  if (variable.kind === 'param' || variable.kind === 'function') return true
  // A declared function can be called before the variables around it have their values.
  if (variable.kind === 'var' || node.type === 'FunctionDeclaration') return false
  return variable.ready <= node.start && variable.scope.node.type !== 'SwitchStatement'
}

function isSimple(param: Node): boolean {
  return param.type === 'Identifier' || (param.type === 'RestElement' && param.argument!.type === 'Identifier')
}

/**
 * The variables that a function would have to be given if it stood at the level of the module.
 * @returns their names, or undefined if it has to stay where it is
 */
export function captured(source: Source, node: Node): string[] | undefined {
  if (source.usesArguments(node) || !node.params.every(isSimple)) return undefined
  const names = new Set<string>()
  let isBound = false
  walk(node, (inner) => {
    if (inner.type === 'PrivateIdentifier') isBound = true
    if (inner.type !== 'Identifier' || isBound || isKey(source, inner)) return
    const variable = source.resolve(inner)
    if (variable === undefined || variable.scope.node.type === 'Program') return
    // The name of a function expression is known only in it.
    if (variable.bound === node && variable.scope.node === node) isBound = true
    if (isInside(variable, node)) return
    if (isSettled(variable, node)) names.add(variable.name)
    else isBound = true
  })
  return isBound ? undefined : [...names]
}
