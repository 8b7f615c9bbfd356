// Marks by hand in a tab of JupyterLab: in the launcher, in the palette and in nbgrader's menu. Written for JupyterLab's
// loader as it is, without a build: a container that takes what it needs from the modules that JupyterLab shares.
(() => {
  const COMMAND = "autograder:mark";
  let shared = {};

  async function module(name) {
    const versions = shared[name] || {};
    const used = Object.values(versions).find(one => one.loaded) || Object.values(versions)[0];
    if (!used) throw new Error(`JupyterLab does not share ${name}`);
    return (await used.get())();
  }

  async function extension() {
    const names = ["application", "apputils", "coreutils", "launcher", "mainmenu", "ui-components"].map(one => `@jupyterlab/${one}`);
    const [application, apputils, coreutils, launcher, mainmenu, components] = await Promise.all(names.map(module));
    const { Widget } = await module("@lumino/widgets");
    const { PageConfig, URLExt } = coreutils;

    function activate(app, lab, palette, cards, menus, restorer) {
      if (!lab) return;  // Notebook has no tabs
      const tracker = new apputils.WidgetTracker({ namespace: "autograder-mark" });
      app.commands.addCommand(COMMAND, {
        label: "Marks by Hand",
        caption: "Mark the parts in words, answer by answer",
        icon: args => (args.isPalette ? undefined : components.editIcon),
        execute: () => {
          let tab = tracker.currentWidget;
          if (!tab || tab.isDisposed) {
            const frame = document.createElement("iframe");
            frame.title = "Marks by hand";
            frame.src = URLExt.join(PageConfig.getBaseUrl(), "autograder/mark");
            frame.style.border = "0";
            const content = new Widget({ node: frame });
            content.onActivateRequest = () => frame.focus();
            frame.addEventListener("load", () => { if (tab.isVisible) frame.focus(); });
            tab = new apputils.MainAreaWidget({ content });
            tab.id = "autograder-mark";
            tab.title.label = "Marks by hand";
            tab.title.icon = components.editIcon;
            tab.title.closable = true;
          }
          if (!tracker.has(tab)) tracker.add(tab);
          if (!tab.isAttached) app.shell.add(tab, "main");
          app.shell.activateById(tab.id);
          return tab;
        },
      });
      palette?.addItem({ command: COMMAND, category: "nbgrader" });
      cards?.add({ command: COMMAND, category: "Other", rank: 9 });
      restorer?.restore(tracker, { command: COMMAND, name: () => "autograder-mark" });
      app.restored.then(() => menus?.menus?.find(one => one.id === "jp-mainmenu-nbgrader")?.addItem({ command: COMMAND }));
    }

    const { ILabShell, ILayoutRestorer } = application;
    const optional = [ILabShell, apputils.ICommandPalette, launcher.ILauncher, mainmenu.IMainMenu, ILayoutRestorer];
    const description = "The page for marks by hand in a tab";
    return { __esModule: true, default: { id: "backprop-autograder:mark", description, autoStart: true, optional, activate } };
  }

  const container = {
    init: scope => { shared = scope; },
    get: async () => { const found = await extension(); return () => found; },
  };
  (window._JUPYTERLAB ||= {})["backprop-autograder"] = container;
})();
