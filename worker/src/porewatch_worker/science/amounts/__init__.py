"""How much: copies by spike-in and by yield, uncertainty, required reads, LOD95."""
