/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to ops. Zydis says what an instruction is; the table here what the machine has for it. */
#include <Zydis/Zydis.h>
#include <string.h>

#include "machine/machine.h"
#include "machine/op.h"
#include "machine/vector.h"

struct translation {
    uint8_t code, detail;
};

#define CONDITIONAL(code, prefix)                                                                                      \
    [ZYDIS_MNEMONIC_##prefix##O] = {code, 0}, [ZYDIS_MNEMONIC_##prefix##NO] = {code, 1},                               \
    [ZYDIS_MNEMONIC_##prefix##B] = {code, 2}, [ZYDIS_MNEMONIC_##prefix##NB] = {code, 3},                               \
    [ZYDIS_MNEMONIC_##prefix##Z] = {code, 4}, [ZYDIS_MNEMONIC_##prefix##NZ] = {code, 5},                               \
    [ZYDIS_MNEMONIC_##prefix##BE] = {code, 6}, [ZYDIS_MNEMONIC_##prefix##NBE] = {code, 7},                             \
    [ZYDIS_MNEMONIC_##prefix##S] = {code, 8}, [ZYDIS_MNEMONIC_##prefix##NS] = {code, 9},                               \
    [ZYDIS_MNEMONIC_##prefix##P] = {code, 10}, [ZYDIS_MNEMONIC_##prefix##NP] = {code, 11},                             \
    [ZYDIS_MNEMONIC_##prefix##L] = {code, 12}, [ZYDIS_MNEMONIC_##prefix##NL] = {code, 13},                             \
    [ZYDIS_MNEMONIC_##prefix##LE] = {code, 14}, [ZYDIS_MNEMONIC_##prefix##NLE] = {code, 15}
#define IS(mnemonic, op) [ZYDIS_MNEMONIC_##mnemonic] = {WALK_OP_##op, 0}
#define WITH(mnemonic, op, detail) [ZYDIS_MNEMONIC_##mnemonic] = {WALK_OP_##op, detail}
#define VECTOR(mnemonic, op) [ZYDIS_MNEMONIC_##mnemonic] = {WALK_OP_VECTOR, WALK_VECTOR_##op}
#define SYSTEM(mnemonic) [ZYDIS_MNEMONIC_##mnemonic] = {WALK_OP_FAULT, WALK_FAULT_SYSTEM}
#define STRINGS(mnemonic) IS(mnemonic##B, mnemonic), IS(mnemonic##W, mnemonic), IS(mnemonic##Q, mnemonic)

/* What is not here has the code of NOP, 0. MOVSD and CMPSD are two instructions each: see translate(). */
static const struct translation translations[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {
    IS(MOV, MOV),
    IS(MOVNTI, MOV),
    IS(MOVZX, MOVZX),
    IS(MOVSX, MOVSX),
    IS(MOVSXD, MOVSX),
    IS(LEA, LEA),
    IS(ADD, ADD),
    IS(SUB, SUB),
    IS(CMP, CMP),
    IS(TEST, TEST),
    IS(AND, AND),
    IS(OR, OR),
    IS(XOR, XOR),
    IS(ADC, ADC),
    IS(SBB, SBB),
    IS(INC, INC),
    IS(DEC, DEC),
    IS(NEG, NEG),
    IS(NOT, NOT),
    IS(PUSH, PUSH),
    IS(POP, POP),
    IS(LEAVE, LEAVE),
    IS(SHL, SHL),
    IS(SHR, SHR),
    IS(SAR, SAR),
    IS(ROL, ROL),
    IS(ROR, ROR),
    IS(RCL, RCL),
    IS(RCR, RCR),
    IS(SHLD, SHLD),
    IS(SHRD, SHRD),
    IS(MUL, MUL_WIDE),
    IS(IMUL, IMUL),
    IS(DIV, DIV),
    IS(IDIV, IDIV),
    IS(CBW, EXTEND),
    IS(CWDE, EXTEND),
    IS(CDQE, EXTEND),
    IS(CWD, EXTEND_WIDE),
    IS(CDQ, EXTEND_WIDE),
    IS(CQO, EXTEND_WIDE),
    IS(BT, BT),
    IS(BTS, BTS),
    IS(BTR, BTR),
    IS(BTC, BTC),
    IS(BSF, BSF),
    IS(BSR, BSR),
    IS(TZCNT, TZCNT),
    IS(LZCNT, LZCNT),
    IS(POPCNT, POPCNT),
    IS(BSWAP, BSWAP),
    IS(XCHG, XCHG),
    IS(XADD, XADD),
    IS(CMPXCHG, CMPXCHG),
    IS(ANDN, ANDN),
    IS(BLSI, BLSI),
    IS(BLSR, BLSR),
    IS(BLSMSK, BLSMSK),
    IS(SHLX, SHLX),
    IS(SHRX, SHRX),
    IS(SARX, SARX),
    IS(RORX, RORX),
    IS(LAHF, LAHF),
    IS(SAHF, SAHF),
    IS(PUSHFQ, PUSHF),
    IS(POPFQ, POPF),
    WITH(CLC, FLAG, 0),
    WITH(STC, FLAG, 1),
    WITH(CMC, FLAG, 2),
    WITH(CLD, FLAG, 3),
    WITH(STD, FLAG, 4),
    STRINGS(MOVS),
    STRINGS(STOS),
    STRINGS(LODS),
    STRINGS(CMPS),
    STRINGS(SCAS),
    IS(STOSD, STOS),
    IS(LODSD, LODS),
    IS(SCASD, SCAS),
    IS(CMPSD, CMPS),
    IS(JMP, JMP),
    IS(CALL, CALL),
    IS(RET, RET),
    IS(JRCXZ, JRCXZ),
    IS(JECXZ, JRCXZ),
    WITH(LOOP, LOOP, 0),
    WITH(LOOPE, LOOP, 1),
    WITH(LOOPNE, LOOP, 2),
    CONDITIONAL(WALK_OP_JCC, J),
    CONDITIONAL(WALK_OP_SETCC, SET),
    CONDITIONAL(WALK_OP_CMOVCC, CMOV),

    VECTOR(MOVUPS, MOVE),
    VECTOR(MOVUPD, MOVE),
    VECTOR(MOVDQU, MOVE),
    VECTOR(LDDQU, MOVE),
    VECTOR(MOVAPS, MOVE_ALIGNED),
    VECTOR(MOVAPD, MOVE_ALIGNED),
    VECTOR(MOVDQA, MOVE_ALIGNED),
    VECTOR(MOVNTDQ, MOVE_ALIGNED),
    VECTOR(MOVNTPS, MOVE_ALIGNED),
    VECTOR(MOVNTPD, MOVE_ALIGNED),
    VECTOR(MOVNTDQA, MOVE_ALIGNED),
    VECTOR(MOVD, MOVE_LOW4),
    VECTOR(MOVQ, MOVE_LOW8),
    VECTOR(MOVSS, MOVE_LOW4),
    VECTOR(MOVSD, MOVE_LOW8),
    VECTOR(MOVLPS, MERGE_LOW8),
    VECTOR(MOVLPD, MERGE_LOW8),
    VECTOR(MOVHPS, MERGE_HIGH8),
    VECTOR(MOVHPD, MERGE_HIGH8),
    VECTOR(MOVHLPS, HIGH_TO_LOW),
    VECTOR(MOVLHPS, LOW_TO_HIGH),
    VECTOR(PAND, AND),
    VECTOR(ANDPS, AND),
    VECTOR(ANDPD, AND),
    VECTOR(PANDN, ANDN),
    VECTOR(ANDNPS, ANDN),
    VECTOR(ANDNPD, ANDN),
    VECTOR(POR, OR),
    VECTOR(ORPS, OR),
    VECTOR(ORPD, OR),
    VECTOR(PXOR, XOR),
    VECTOR(XORPS, XOR),
    VECTOR(XORPD, XOR),
    VECTOR(PCMPEQB, EQ1),
    VECTOR(PCMPEQW, EQ2),
    VECTOR(PCMPEQD, EQ4),
    VECTOR(PCMPEQQ, EQ8),
    VECTOR(PCMPGTB, GT1),
    VECTOR(PCMPGTW, GT2),
    VECTOR(PCMPGTD, GT4),
    VECTOR(PCMPGTQ, GT8),
    VECTOR(PADDB, ADD1),
    VECTOR(PADDW, ADD2),
    VECTOR(PADDD, ADD4),
    VECTOR(PADDQ, ADD8),
    VECTOR(PSUBB, SUB1),
    VECTOR(PSUBW, SUB2),
    VECTOR(PSUBD, SUB4),
    VECTOR(PSUBQ, SUB8),
    VECTOR(PMINUB, MINU1),
    VECTOR(PMAXUB, MAXU1),
    VECTOR(PMINSW, MINS2),
    VECTOR(PMAXSW, MAXS2),
    VECTOR(PUNPCKLBW, LOW1),
    VECTOR(PUNPCKLWD, LOW2),
    VECTOR(PUNPCKLDQ, LOW4),
    VECTOR(UNPCKLPS, LOW4),
    VECTOR(PUNPCKLQDQ, LOW8),
    VECTOR(UNPCKLPD, LOW8),
    VECTOR(PUNPCKHBW, HIGH1),
    VECTOR(PUNPCKHWD, HIGH2),
    VECTOR(PUNPCKHDQ, HIGH4),
    VECTOR(UNPCKHPS, HIGH4),
    VECTOR(PUNPCKHQDQ, HIGH8),
    VECTOR(UNPCKHPD, HIGH8),
    VECTOR(PSHUFB, SHUFFLE1),
    VECTOR(PSHUFD, SHUFFLE4),
    VECTOR(PSHUFLW, SHUFFLE_LOW2),
    VECTOR(PSHUFHW, SHUFFLE_HIGH2),
    VECTOR(SHUFPS, SELECT4),
    VECTOR(SHUFPD, SELECT8),
    VECTOR(PSLLDQ, LEFT_BYTES),
    VECTOR(PSRLDQ, RIGHT_BYTES),
    VECTOR(PSLLW, SHL2),
    VECTOR(PSLLD, SHL4),
    VECTOR(PSLLQ, SHL8),
    VECTOR(PSRLW, SHR2),
    VECTOR(PSRLD, SHR4),
    VECTOR(PSRLQ, SHR8),
    VECTOR(PSRAW, SAR2),
    VECTOR(PSRAD, SAR4),
    VECTOR(PMOVMSKB, MASK1),
    VECTOR(MOVMSKPS, MASK4),
    VECTOR(MOVMSKPD, MASK8),
    VECTOR(PEXTRB, EXTRACT1),
    VECTOR(PEXTRW, EXTRACT2),
    VECTOR(PEXTRD, EXTRACT4),
    VECTOR(PEXTRQ, EXTRACT8),
    VECTOR(PINSRB, INSERT1),
    VECTOR(PINSRW, INSERT2),
    VECTOR(PINSRD, INSERT4),
    VECTOR(PINSRQ, INSERT8),
    VECTOR(PTEST, TEST),

    SYSTEM(CPUID),
    SYSTEM(XGETBV),
    SYSTEM(RDTSC),
    SYSTEM(RDTSCP),
    SYSTEM(RDPID),
    SYSTEM(RDFSBASE),
    SYSTEM(RDGSBASE),
    SYSTEM(WRFSBASE),
    SYSTEM(WRGSBASE),
    SYSTEM(RDRAND),
    SYSTEM(RDSEED),
    SYSTEM(XBEGIN),
    SYSTEM(XTEST),
    SYSTEM(IRET),
    SYSTEM(IRETD),
    SYSTEM(IRETQ),
    WITH(UD0, FAULT, WALK_FAULT_UNDECODABLE),
    WITH(UD1, FAULT, WALK_FAULT_UNDECODABLE),
    WITH(UD2, FAULT, WALK_FAULT_UNDECODABLE),
};

/* These do nothing that can be seen in one thread's registers and memory. */
static bool is_nop(const ZydisDecodedInstruction *instruction)
{
    switch (instruction->mnemonic) {
    case ZYDIS_MNEMONIC_NOP:
    case ZYDIS_MNEMONIC_ENDBR64:
    case ZYDIS_MNEMONIC_PAUSE:
    case ZYDIS_MNEMONIC_LFENCE:
    case ZYDIS_MNEMONIC_MFENCE:
    case ZYDIS_MNEMONIC_SFENCE:
        return true;
    default:
        return instruction->meta.category == ZYDIS_CATEGORY_PREFETCH;
    }
}

static bool is_system(const ZydisDecodedInstruction *instruction)
{
    switch (instruction->meta.category) {
    case ZYDIS_CATEGORY_INTERRUPT:
    case ZYDIS_CATEGORY_IO:
    case ZYDIS_CATEGORY_IOSTRINGOP:
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSRET:
    case ZYDIS_CATEGORY_SYSTEM:
    case ZYDIS_CATEGORY_VTX:
    case ZYDIS_CATEGORY_SGX:
        return true;
    default:
        return instruction->attributes & ZYDIS_ATTRIB_IS_PRIVILEGED;
    }
}

static void set_fault(struct walk_op *op, enum walk_fault fault)
{
    op->code = WALK_OP_FAULT;
    op->detail = (uint8_t)fault;
}

/* ---- operands ---- */

/* false: a register that the machine does not have. */
static bool register_number(ZydisRegister name, uint8_t *number)
{
    if (name >= ZYDIS_REGISTER_AH && name <= ZYDIS_REGISTER_BH)
        *number = (uint8_t)(WALK_HIGH_BYTE + (name - ZYDIS_REGISTER_AH));
    else if (name >= ZYDIS_REGISTER_AL && name <= ZYDIS_REGISTER_BL)
        *number = (uint8_t)(name - ZYDIS_REGISTER_AL);
    else if (name >= ZYDIS_REGISTER_SPL && name <= ZYDIS_REGISTER_R15B)
        *number = (uint8_t)(WALK_RSP + (name - ZYDIS_REGISTER_SPL));
    else if (name >= ZYDIS_REGISTER_AX && name <= ZYDIS_REGISTER_R15W)
        *number = (uint8_t)(name - ZYDIS_REGISTER_AX);
    else if (name >= ZYDIS_REGISTER_EAX && name <= ZYDIS_REGISTER_R15D)
        *number = (uint8_t)(name - ZYDIS_REGISTER_EAX);
    else if (name >= ZYDIS_REGISTER_RAX && name <= ZYDIS_REGISTER_R15)
        *number = (uint8_t)(name - ZYDIS_REGISTER_RAX);
    else if (name >= ZYDIS_REGISTER_XMM0 && name <= ZYDIS_REGISTER_XMM15)
        *number = (uint8_t)(name - ZYDIS_REGISTER_XMM0);
    else
        return false;
    return true;
}

static bool is_general(ZydisRegister name) { return name >= ZYDIS_REGISTER_AL && name <= ZYDIS_REGISTER_R15; }

static bool set_memory(struct walk_op *op, const ZydisDecodedOperand *operand, walk_addr next)
{
    static const uint8_t bits[9] = {[1] = 0, [2] = 1, [4] = 2, [8] = 3};
    op->base = op->index = WALK_NO_REGISTER;
    op->displacement = operand->mem.disp.has_displacement ? (uint64_t)operand->mem.disp.value : 0;
    if (operand->mem.segment == ZYDIS_REGISTER_FS)
        op->address |= WALK_ADDRESS_FS;
    else if (operand->mem.segment == ZYDIS_REGISTER_GS)
        return false;
    if (operand->mem.base == ZYDIS_REGISTER_RIP || operand->mem.base == ZYDIS_REGISTER_EIP)
        op->displacement += next;
    else if (operand->mem.base && !register_number(operand->mem.base, &op->base))
        return false;
    if (operand->mem.index && !register_number(operand->mem.index, &op->index))
        return false;
    op->scale = operand->mem.index ? bits[operand->mem.scale & 15 ? operand->mem.scale : 1] : 0;
    return true;
}

/* The visible operands, to the left, to the right and third; forms that have none leave 0. */
static bool set_operands(struct walk_op *op, const ZydisDecodedOperand *operand, size_t count, walk_addr next)
{
    static const uint8_t forms[3][4] = {/* right:   none           register      memory         immediate */
                                        {WALK_FORM_R, WALK_FORM_RR, WALK_FORM_RM, WALK_FORM_RI},
                                        {WALK_FORM_M, WALK_FORM_MR, WALK_FORM_NONE, WALK_FORM_MI},
                                        {WALK_FORM_I, WALK_FORM_NONE, WALK_FORM_NONE, WALK_FORM_NONE}};
    unsigned kinds[2] = {3, 0};
    for (size_t i = 0; i < count; i++) {
        unsigned kind;
        uint8_t *number = i == 0 ? &op->left : i == 1 ? &op->right : &op->third;
        switch (operand[i].type) {
        case ZYDIS_OPERAND_TYPE_REGISTER:
            kind = 1;
            if (!register_number(operand[i].reg.value, number))
                return false;
            break;
        case ZYDIS_OPERAND_TYPE_MEMORY:
            kind = 2;
            if (!set_memory(op, &operand[i], next))
                return false;
            break;
        case ZYDIS_OPERAND_TYPE_IMMEDIATE:
            kind = 3;
            op->immediate = operand[i].imm.value.u + (operand[i].imm.is_relative ? next : 0);
            break;
        default:
            return false;
        }
        if (i < 2)
            kinds[i] = i == 0 ? kind - 1 : kind;
    }
    op->form = count ? forms[kinds[0]][kinds[1]] : WALK_FORM_NONE;
    op->width = count ? (uint8_t)(operand[0].size / 8) : 0;
    return count == 0 || op->form != WALK_FORM_NONE;
}

/* ---- what is particular ---- */

static bool translate_string(struct walk_op *op, const ZydisDecodedInstruction *instruction)
{
    /* Elements are found by RSI and RDI as they are: other segments and address sizes are not met. */
    if ((instruction->attributes & (ZYDIS_ATTRIB_HAS_SEGMENT_FS | ZYDIS_ATTRIB_HAS_SEGMENT_GS)) ||
        instruction->address_width != 64)
        return false;
    op->form = WALK_FORM_NONE;
    op->width = (uint8_t)(instruction->operand_width / 8);
    op->detail = instruction->attributes & ZYDIS_ATTRIB_HAS_REP     ? WALK_REPEAT
                 : instruction->attributes & ZYDIS_ATTRIB_HAS_REPE  ? WALK_REPEAT_WHILE_EQUAL
                 : instruction->attributes & ZYDIS_ATTRIB_HAS_REPNE ? WALK_REPEAT_WHILE_UNEQUAL
                                                                    : WALK_REPEAT_NONE;
    return true;
}

static bool translate_vector(struct walk_op *op, const ZydisDecodedOperand *operand)
{
    bool from_general = operand[1].type == ZYDIS_OPERAND_TYPE_REGISTER && is_general(operand[1].reg.value);
    bool to_general = operand[0].type == ZYDIS_OPERAND_TYPE_REGISTER && is_general(operand[0].reg.value);
    bool low4 = op->detail == WALK_VECTOR_MOVE_LOW4, low8 = op->detail == WALK_VECTOR_MOVE_LOW8;
    if (!low4 && !low8)
        return true;
    op->width = low4 ? 4 : 8;
    if (from_general)
        op->detail = WALK_VECTOR_FROM_GENERAL;
    else if (to_general)
        op->detail = WALK_VECTOR_TO_GENERAL;
    return true;
}

/* A near jump, call or return. With an operand-size prefix alone processors differ in what they do; with REX.W, which
 * compilers add as padding, the prefix is void. */
static bool translate_branch(struct walk_op *op, const ZydisDecodedInstruction *instruction)
{
    if (instruction->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR || instruction->operand_width == 16 ||
        ((instruction->attributes & ZYDIS_ATTRIB_HAS_OPERANDSIZE) && !instruction->raw.rex.W))
        return false;
    if (op->code == WALK_OP_JMP && op->form != WALK_FORM_I)
        op->code = WALK_OP_JMP_TO;
    else if (op->code == WALK_OP_CALL && op->form != WALK_FORM_I)
        op->code = WALK_OP_CALL_TO;
    if (op->code == WALK_OP_JRCXZ || op->code == WALK_OP_LOOP)
        op->width = instruction->mnemonic == ZYDIS_MNEMONIC_JECXZ || instruction->address_width == 32 ? 4 : 8;
    return true;
}

/* false: not implemented. */
static bool translate(struct walk_op *op, const ZydisDecodedInstruction *instruction,
                      const ZydisDecodedOperand *operand, walk_addr next)
{
    bool is_string = instruction->meta.category == ZYDIS_CATEGORY_STRINGOP;
    if (is_string)
        op->code = instruction->mnemonic == ZYDIS_MNEMONIC_MOVSD ? WALK_OP_MOVS : op->code;
    else if (op->code == WALK_OP_CMPS)
        return false; /* the comparison of doubles */
    if (is_string)
        return translate_string(op, instruction);
    size_t visible = 0;
    while (visible < instruction->operand_count && operand[visible].visibility != ZYDIS_OPERAND_VISIBILITY_HIDDEN)
        visible++;
    if (!set_operands(op, operand, visible, next))
        return false;
    if (instruction->address_width == 32)
        op->address |= WALK_ADDRESS_32;
    switch (op->code) {
    case WALK_OP_MOVZX:
    case WALK_OP_MOVSX:
        op->detail = (uint8_t)(operand[1].size / 8);
        return true;
    case WALK_OP_IMUL:
        if (visible == 1)
            op->code = WALK_OP_IMUL_WIDE;
        op->detail = visible == 3;
        return true;
    case WALK_OP_SHLD:
    case WALK_OP_SHRD:
        op->detail = operand[2].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
        return true;
    case WALK_OP_ANDN: /* left, third, right: as the others have it */
        op->third = op->right;
        if (operand[2].type == ZYDIS_OPERAND_TYPE_REGISTER)
            return register_number(operand[2].reg.value, &op->right);
        op->form = WALK_FORM_RM;
        return true;
    case WALK_OP_EXTEND:
    case WALK_OP_EXTEND_WIDE:
        op->width = (uint8_t)(instruction->operand_width / 8);
        return true;
    case WALK_OP_PUSH:
        op->width = (uint8_t)(instruction->operand_width / 8);
        return op->width == 8 || op->width == 2;
    case WALK_OP_VECTOR:
        if (instruction->mnemonic == ZYDIS_MNEMONIC_MOVSS || instruction->mnemonic == ZYDIS_MNEMONIC_MOVSD) {
            op->width = instruction->mnemonic == ZYDIS_MNEMONIC_MOVSS ? 4 : 8;
            if (op->form == WALK_FORM_RR)
                op->detail = op->width == 4 ? WALK_VECTOR_MERGE_LOW4 : WALK_VECTOR_MERGE_LOW8;
            return true;
        }
        return translate_vector(op, operand);
    case WALK_OP_JCC:
    case WALK_OP_JMP:
    case WALK_OP_CALL:
    case WALK_OP_RET:
    case WALK_OP_JRCXZ:
    case WALK_OP_LOOP:
        return translate_branch(op, instruction);
    default:
        return true;
    }
}

/* The forms that nearly all instructions have get codes of their own. */
static void specialise(struct walk_op *op)
{
    if (op->width != 8 || op->address)
        return;
    if (op->code == WALK_OP_MOV && op->form == WALK_FORM_RR)
        op->code = WALK_OP_MOVE8;
    else if (op->code == WALK_OP_MOV && op->form == WALK_FORM_RM)
        op->code = WALK_OP_LOAD8;
    else if (op->code == WALK_OP_MOV && op->form == WALK_FORM_MR)
        op->code = WALK_OP_STORE8;
    else if (op->code == WALK_OP_PUSH && op->form == WALK_FORM_R)
        op->code = WALK_OP_PUSH8;
    else if (op->code == WALK_OP_POP && op->form == WALK_FORM_R)
        op->code = WALK_OP_POP8;
    else if (op->code == WALK_OP_TEST && op->form == WALK_FORM_RR)
        op->code = WALK_OP_TEST8;
}

void walk_op_decode(const uint8_t *bytes, size_t size, walk_addr pc, struct walk_op *op)
{
    ZydisDecoder decoder;
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operand[ZYDIS_MAX_OPERAND_COUNT];
    *op = (struct walk_op){.base = WALK_NO_REGISTER, .index = WALK_NO_REGISTER};
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes, size, &instruction, operand))) {
        set_fault(op, WALK_FAULT_UNDECODABLE);
        return;
    }
    op->length = instruction.length;
    if (is_nop(&instruction))
        return;
    const struct translation *translation = &translations[instruction.mnemonic];
    op->code = translation->code;
    op->detail = translation->detail;
    if (op->code == WALK_OP_FAULT)
        return;
    if (is_system(&instruction))
        set_fault(op, WALK_FAULT_SYSTEM);
    else if (op->code == WALK_OP_NOP || !translate(op, &instruction, operand, pc + op->length))
        set_fault(op, WALK_FAULT_UNIMPLEMENTED);
    else
        specialise(op);
}
