import type { Context } from "../context.js";
import { type Configure, examples } from "../define.js";
import { buildTree, type TreeNode } from "../key-tree.js";
import { withStore } from "../open-store.js";
import { consistencyOf, depthOption, limitOption, staleOption } from "../options.js";

interface TreeCommandOptions {
  limit?: number;
  depth?: number;
  stale?: boolean;
}

export const configure: Configure = (command, bind) => {
  command
    .argument("[directory]", "the directory; without it, the whole store", "")
    .addOption(limitOption("keys"))
    .addOption(depthOption())
    .addOption(staleOption())
    .addHelpText(
      "after",
      `
With --json, one line for each node: its path, whether it is a key, and whether it is a directory.
${examples([
  ["kvasir tree", "the whole store"],
  ["kvasir tree config --depth 2", "two levels of it"],
])}`,
    )
    .action(
      bind(async (context, directory: string, options: TreeCommandOptions) => {
        const { limit, depth } = options;
        const keys = await withStore(context, "read", (store) =>
          store.keys(directory, { ...context.call, limit, depth, consistency: consistencyOf(options) }),
        );
        const tree = buildTree(keys, directory);
        if (context.output.json) await printRecords(context, tree);
        else await draw(context, tree, directory);
      }),
    );
};

async function printRecords(context: Context, node: TreeNode): Promise<void> {
  for (const child of node.children.values()) {
    await context.output.bulkRecord({ path: child.path, key: child.isKey, directory: child.isDirectory });
    await printRecords(context, child);
  }
}

async function draw(context: Context, tree: TreeNode, directory: string): Promise<void> {
  const { output } = context;
  await output.bulkLine(output.paint("blue", output.escape(directory === "" ? "/" : directory)));
  await drawChildren(context, tree, "");
}

async function drawChildren(context: Context, node: TreeNode, indent: string): Promise<void> {
  const { output } = context;
  let left = node.children.size;
  for (const child of node.children.values()) {
    left -= 1;
    const name = output.escape(child.name);
    // What is only a directory has a slash; what is a key as well has none, and its children show the rest.
    const label = child.isKey ? name : output.paint("blue", `${name}/`);
    await output.bulkLine(`${output.paint("dim", indent + (left > 0 ? "├── " : "└── "))}${label}`);
    await drawChildren(context, child, indent + (left > 0 ? "│   " : "    "));
  }
}
