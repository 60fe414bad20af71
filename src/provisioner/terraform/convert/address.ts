/** Addresses of Terraform resources: `module.a["k"].module.b[0].data.coder_parameter.x[1]`. */

export interface ModuleStep {
  readonly name: string;
  /** Index as written, brackets included; "" without. */
  readonly index: string;
}

export interface Address {
  readonly modules: readonly ModuleStep[];
  /** The address without any index: what graph nodes are called. */
  readonly label: string;
}

interface Step {
  readonly name: string;
  readonly index: string;
}

/** One `name` or `name[index]`. A key is a quoted string with backslash escapes, so it may hold dots and brackets. */
const stepPattern = /([^.[\]"\s]+)((?:\[(?:-?\d+|"(?:[^"\\]|\\.)*")\])?)(\.|$)/y;

function steps(address: string): Step[] | undefined {
  const out: Step[] = [];
  stepPattern.lastIndex = 0;
  let at = 0;
  while (at < address.length) {
    stepPattern.lastIndex = at;
    const match = stepPattern.exec(address);
    if (!match) return undefined;
    out.push({ name: match[1] ?? "", index: match[2] ?? "" });
    at = stepPattern.lastIndex;
    if (at === address.length && match[3] === ".") return undefined;
  }
  return out;
}

/** Undefined where the text is no address of a resource. */
export function parseAddress(address: string): Address | undefined {
  const all = steps(address);
  if (!all) return undefined;
  const modules: ModuleStep[] = [];
  let at = 0;
  while (all[at]?.name === "module" && all[at]?.index === "") {
    const step = all[at + 1];
    if (!step) return undefined;
    modules.push(step);
    at += 2;
  }
  const rest = all[at]?.name === "data" && all.length - at === 3 ? 3 : 2;
  if (all.length - at !== rest) return undefined;
  return { modules, label: all.map((step) => step.name).join(".") };
}

/** Label for the look-up in the graph; for text that is no address, all before the first bracket. */
export function labelOf(address: string): string {
  return parseAddress(address)?.label ?? address.split("[", 1)[0] ?? "";
}

/** Modules of the address with their indexes, "" for the root module. */
export function modulePath(address: string): string {
  const parsed = parseAddress(address);
  if (!parsed) return "invalid terraform address";
  return parsed.modules.map((step) => `module.${step.name}${step.index}`).join(".");
}

/** Whether the module indexes of both agree over the module path that they share. */
export function sameModuleInstance(one: string, other: string): boolean {
  const left = parseAddress(one)?.modules ?? [];
  const right = parseAddress(other)?.modules ?? [];
  for (let i = 0; i < left.length && i < right.length; i++) {
    if (left[i]?.name !== right[i]?.name) return true;
    if (left[i]?.index !== right[i]?.index) return false;
  }
  return true;
}
