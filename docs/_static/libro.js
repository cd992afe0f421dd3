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
