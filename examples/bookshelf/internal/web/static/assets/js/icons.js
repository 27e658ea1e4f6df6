// The icons, as the outlines of SVG.

const thin = { "stroke-width": 1.8 };

/** icons maps a name to the attributes of its path. The box is 20 by 20. */
export const icons = {
  done: { d: "m4.5 10.5 3.7 3.7 7.3-8" },
  failed: { d: "m5.5 5.5 9 9m0-9-9 9" },
  open: { d: "m5 7.5 5 5 5-5", ...thin },
  warning: { d: "M10 3 18 17H2Z M10 8v4m0 2.5v.01", ...thin },
  info: { d: "M10 2.5a7.5 7.5 0 1 1 0 15 7.5 7.5 0 0 1 0-15Z M10 9v4.5m0-7v.01", ...thin },
};
