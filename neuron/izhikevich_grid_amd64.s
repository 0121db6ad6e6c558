#include "textflag.h"

// func stepFour(v, u, in *float64, bits *uint64, over *uint8, n int, c *gridConstants)
//
// Four neurons at a time, the operations of izhikevichGrid.one in their order:
// the results are the same to the last bit. n counts the fours.
TEXT ·stepFour(SB), NOSPLIT, $0-56
	MOVQ v+0(FP), DI
	MOVQ u+8(FP), SI
	MOVQ in+16(FP), DX
	MOVQ bits+24(FP), R8
	MOVQ over+32(FP), R9
	MOVQ n+40(FP), CX
	MOVQ c+48(FP), R10
	VMOVUPD 0(R10), Y8    // 0.04
	VMOVUPD 32(R10), Y9   // 5
	VMOVUPD 64(R10), Y10  // 140
	VMOVUPD 96(R10), Y11  // ½
	VMOVUPD 128(R10), Y12 // V_th
	VMOVUPD 160(R10), Y13 // exponent
	VMOVUPD 192(R10), Y14 // middle
	VXORPD  Y15, Y15, Y15

four:
	VMOVUPD   (DI), Y0              // x
	VMOVUPD   (SI), Y1              // y
	VCMPPD    $0x1d, Y12, Y0, Y2    // x >= V_th
	VADDPD    320(R10), Y1, Y3      // y + d
	VBLENDVPD Y2, 288(R10), Y0, Y0  // c
	VBLENDVPD Y2, Y3, Y1, Y1
	VPMOVZXDQ (R8), Y4              // four times 32 bits
	VORPD     Y13, Y4, Y4
	VSUBPD    Y14, Y4, Y4           // U − ½
	VMULPD    224(R10), Y4, Y4      // noise
	VADDPD    256(R10), Y4, Y4      // + I_e
	VADDPD    (DX), Y4, Y4          // + input
	VMOVUPD   Y15, (DX)

	VMULPD Y8, Y0, Y5               // x += ½((0.04x + 5)x + 140 − y + I)
	VADDPD Y9, Y5, Y5
	VMULPD Y0, Y5, Y5
	VADDPD Y10, Y5, Y5
	VSUBPD Y1, Y5, Y5
	VADDPD Y4, Y5, Y5
	VMULPD Y11, Y5, Y5
	VADDPD Y5, Y0, Y0

	VMULPD Y8, Y0, Y5
	VADDPD Y9, Y5, Y5
	VMULPD Y0, Y5, Y5
	VADDPD Y10, Y5, Y5
	VSUBPD Y1, Y5, Y5
	VADDPD Y4, Y5, Y5
	VMULPD Y11, Y5, Y5
	VADDPD Y5, Y0, Y0

	VMULPD 384(R10), Y0, Y5         // y += a(bx − y)
	VSUBPD Y1, Y5, Y5
	VMULPD 352(R10), Y5, Y5
	VADDPD Y5, Y1, Y1

	VMOVUPD   Y0, (DI)
	VMOVUPD   Y1, (SI)
	VCMPPD    $0x15, Y12, Y0, Y2    // not x < V_th
	VMOVMSKPD Y2, AX
	MOVB      AX, (R9)

	ADDQ $32, DI
	ADDQ $32, SI
	ADDQ $32, DX
	ADDQ $16, R8
	INCQ R9
	DECQ CX
	JNZ  four
	VZEROUPPER
	RET
