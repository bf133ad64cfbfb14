// `window.require` and the gradual registering of modules: on a cold load the
// real page knows an id only some time after `load`, and a miss throws.

const modules = new Map();

function requireModule(id) {
  if (id === '__debug') return { modulesMap: Object.fromEntries(modules) };
  if (!modules.has(id)) throw new Error(`Requiring unknown module "${id}".`);
  return modules.get(id);
}

export function exposeRequire() {
  window.require = requireModule;
}

/**
 * Registers the groups of modules one after the other.
 * @param groups list of {moduleId: exports}
 * @param stepMs pause before each group
 * @param faults {missing: [id], late: {id: ms}, functionsMissing: [{module, function}]}
 */
export async function registerGradually(groups, stepMs, faults) {
  for (const group of groups) {
    if (stepMs > 0) await new Promise((done) => setTimeout(done, stepMs));
    for (const [id, exported] of Object.entries(group)) register(id, exported, faults);
  }
}

function register(id, exported, { missing, late, functionsMissing }) {
  for (const gone of functionsMissing) {
    if (gone.module === id) delete exported[gone.function];
  }
  if (missing.includes(id)) return;
  if (late[id] === undefined) modules.set(id, exported);
  else setTimeout(() => modules.set(id, exported), late[id]);
}
