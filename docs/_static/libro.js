// Los pocos letreros que el tema trae escritos en inglés, sin catálogo que los traduzca.
const letreros = {
  "Toggle primary sidebar": "Mostrar u ocultar el índice del libro",
  "Toggle secondary sidebar": "Mostrar u ocultar el índice de la página",
  "Toggle hidden content": "Mostrar u ocultar",
  "Main": "Índice del libro",
  "Page": "Índice de la página",
};

function traducir() {
  for (const atributo of ["title", "aria-label", "data-bs-original-title"]) {
    for (const elemento of document.querySelectorAll(`[${atributo}]`)) {
      const texto = letreros[elemento.getAttribute(atributo)];
      if (texto) elemento.setAttribute(atributo, texto);
    }
  }
}

// Ahora, antes de que el tema copie los títulos; y al final, cuando ya existen los botones que abren y cierran.
traducir();
window.addEventListener("load", traducir);

// Las insignias de los temas de los cursos: se recuerda si se quieren ver. Al entrar lo decide un renglón en la cabeza de la página.
function alternarTemas() {
  const ocultos = document.documentElement.classList.toggle("dl-quiet");
  try {
    localStorage.setItem("dl-marks", ocultos ? "hide" : "show");
  } catch {
    // Sin dónde recordarlo, dura lo que la página.
  }
}

// Un enlace a algo que está dentro de un recuadro plegado lo abre. Con <details> ya lo hace el navegador.
function abrirDestino() {
  const destino = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const recuadro = destino?.closest(".toggle-hidden");
  if (!recuadro) return;
  recuadro.querySelector(".toggle-button").click();
  destino.scrollIntoView();
}

window.addEventListener("load", abrirDestino);
window.addEventListener("hashchange", abrirDestino);

// Una sección de pasos: se ve uno a la vez, y se va y se vuelve con dos botones o con las flechas. Sin esto, se ven todos.
function recorrer(seccion) {
  const pasos = [...seccion.children].filter((hijo) => hijo.tagName === "SECTION");
  if (pasos.length < 2) return;
  const barra = document.createElement("nav");
  barra.className = "dl-steps-bar";
  barra.setAttribute("aria-label", "Pasos");
  barra.innerHTML =
    '<button type="button" data-paso="-1">← Anterior</button><span aria-live="polite"></span>' +
    '<button type="button" data-paso="1">Siguiente →</button>' +
    '<button type="button" class="dl-steps-all" aria-pressed="false">Ver todos</button>';
  const [atras, adelante, todos] = barra.querySelectorAll("button");
  const letrero = barra.querySelector("span");
  let actual = 0;
  let juntos = false;

  function pintar() {
    pasos.forEach((paso, k) => paso.classList.toggle("dl-away", !juntos && k !== actual));
    letrero.textContent = juntos ? `${pasos.length} pasos` : `${actual + 1} de ${pasos.length}`;
    atras.disabled = juntos || actual === 0;
    adelante.disabled = juntos || actual === pasos.length - 1;
    todos.textContent = juntos ? "De uno en uno" : "Ver todos";
    todos.setAttribute("aria-pressed", String(juntos));
  }

  function ir(k) {
    if (juntos || k < 0 || k >= pasos.length) return;
    actual = k;
    pintar();
    pasos[actual].scrollIntoView({ block: "start" });
  }

  // Un enlace a un paso que no se ve lo trae.
  function traer(ancla) {
    const destino = ancla && document.getElementById(decodeURIComponent(ancla));
    const k = pasos.findIndex((paso) => destino && paso.contains(destino));
    if (k < 0 || juntos) return;
    actual = k;
    pintar();
    destino.scrollIntoView({ block: "start" });
  }

  atras.addEventListener("click", () => ir(actual - 1));
  adelante.addEventListener("click", () => ir(actual + 1));
  todos.addEventListener("click", () => {
    juntos = !juntos;
    pintar();
    pasos[actual].scrollIntoView({ block: "start" });
  });
  document.addEventListener("keydown", (tecla) => {
    const salto = { ArrowRight: 1, ArrowLeft: -1 }[tecla.key];
    const { top, bottom } = seccion.getBoundingClientRect();
    const lejos = bottom < 0 || top > window.innerHeight;
    const otra = tecla.altKey || tecla.ctrlKey || tecla.metaKey || tecla.shiftKey;
    // Dentro de lo que se desliza o se escribe, las flechas son suyas.
    if (!salto || otra || lejos || tecla.target.closest("input, textarea, select, pre, .dl-numbers")) return;
    ir(actual + salto);
  });
  document.addEventListener("click", (toque) => {
    const enlace = toque.target.closest('a[href^="#"]');
    if (enlace) traer(enlace.getAttribute("href").slice(1));
  });
  window.addEventListener("hashchange", () => traer(location.hash.slice(1)));
  seccion.append(barra);
  pintar();
  traer(location.hash.slice(1));
}

document.querySelectorAll("section.dl-steps").forEach(recorrer);
